// out[t, n] = sum over k of x[t, k] × w[n, k], for a few rows t and a matrix of q8 or q4 panels.
//
// x: rows of q8 activations: K / 4 words of quants, then K / 32 f32 scales. w: packages/core,
// panels.ts. out: [T, outStride] words of f32, or half as many of bf16 pairs.
// A workgroup computes one panel, 16 rows n, for ROWS rows t: 32 lanes by 4 row quads. Thread
// (lane, quad) walks blocks lane, lane + 32 ..., for rows 4 quad .. 4 quad + 3: a 16-byte load is
// those four rows by four columns (q4: eight), and serves all ROWS rows of x.
// The order of sums is that of ADR 0013. Grid: panels, rows t / ROWS.
// Source: rows per thread and integer dots as in ONNX Runtime's dp4a_matmul_small_m.
requires immediate_address_space;
requires packed_4x8_integer_dot_product;

struct Parameters {
  numRows: u32,
  xFirstRow: u32,
  outFirstRow: u32,
  blocks: u32, // K / 32
  panels: u32, // N / 16
  outStride: u32, // values from one row of out to the next
}

var<immediate> immediates: Parameters;
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> quants: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> scales: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> out: array<u32>;
@group(0) @binding(4) var<uniform> uniforms: Parameters;

override BITS: u32 = 8; // of a weight: 8 or 4
override ROWS: u32 = 1; // 1 .. 8
override OUTPUT: u32 = 0; // 0: f32, 1: bf16, 2: f32 added to what out holds
override PACKED_DOT: bool = true; // by dot4I8Packed, or by plain products

const lanes = 32u;

var<workgroup> partials: array<f32, ROWS * 512>; // [row][lane][16]

fn signedBytes(word: u32) -> vec4<i32> {
  return vec4<i32>(vec4<u32>(word << 24, word << 16, word << 8, word)) >> vec4<u32>(24);
}

fn dotBytes(a: u32, b: u32) -> i32 {
  if (PACKED_DOT) {
    return dot4I8Packed(a, b);
  }
  let products = signedBytes(a) * signedBytes(b);
  return products.x + products.y + products.z + products.w;
}

fn dotFour(rows: vec4<u32>, b: u32) -> vec4<i32> {
  return vec4<i32>(
    dotBytes(rows.x, b), dotBytes(rows.y, b), dotBytes(rows.z, b), dotBytes(rows.w, b));
}

// Columns 4c .. 4c + 3 of a block for four rows: signed in q8, 8 too large in q4.
fn loadBlock(blocks: u32, panel: u32, block: u32, quad: u32) -> array<vec4<u32>, 8> {
  var words: array<vec4<u32>, 8>;
  if (BITS == 8) {
    for (var c = 0u; c < 8; c++) {
      let at = (panel * blocks + block) * 8 + c;
      words[c] = quants[at * 4 + quad] ^ vec4<u32>(0x80808080);
    }
  } else {
    for (var c = 0u; c < 4; c++) {
      let at = (panel * blocks + block) * 4 + c;
      let nibbles = quants[at * 4 + quad];
      words[2 * c] = nibbles & vec4<u32>(0x0f0f0f0f);
      words[2 * c + 1] = (nibbles >> vec4<u32>(4)) & vec4<u32>(0x0f0f0f0f);
    }
  }
  return words;
}

fn loadScales(blocks: u32, panel: u32, block: u32, quad: u32) -> vec4<f32> {
  let pairs = scales[(panel * blocks + block) * 4 + quad];
  return bitcast<vec4<f32>>(
    vec4<u32>(pairs.x << 16, pairs.x & 0xffff0000, pairs.y << 16, pairs.y & 0xffff0000));
}

fn dotBlock(words: ptr<function, array<vec4<u32>, 8>>, xAt: u32) -> vec4<i32> {
  var sums = vec4<i32>(0);
  var sumOfX = 0;
  for (var c = 0u; c < 8; c++) {
    let four = x[xAt + c];
    sums += dotFour(words[c], four);
    if (BITS == 4) {
      sumOfX += dotBytes(0x01010101, four);
    }
  }
  return sums - vec4<i32>(8 * sumOfX);
}

fn bf16Bits(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) {
    return (bits >> 16) | 0x40; // NaN stays one
  }
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

fn store(at: u32, values: vec2<f32>) {
  if (OUTPUT == 1) {
    out[at / 2] = bf16Bits(values.x) | (bf16Bits(values.y) << 16);
  } else if (OUTPUT == 2) {
    out[at] = bitcast<u32>(bitcast<f32>(out[at]) + values.x);
    out[at + 1] = bitcast<u32>(bitcast<f32>(out[at + 1]) + values.y);
  } else {
    out[at] = bitcast<u32>(values.x);
    out[at + 1] = bitcast<u32>(values.y);
  }
}

fn run(parameters: Parameters, workgroup: vec3<u32>, thread: u32) {
  let quad = thread % 4;
  let lane = thread / 4;
  let panel = workgroup.x;
  let first = workgroup.y * ROWS;
  var sums = array<vec4<f32>, 8>();
  for (var block = lane; block < parameters.blocks; block += lanes) {
    var words = loadBlock(parameters.blocks, panel, block, quad);
    let ofWeights = loadScales(parameters.blocks, panel, block, quad);
    for (var r = 0u; r < ROWS; r++) {
      let row = parameters.xFirstRow + min(first + r, parameters.numRows - 1);
      let dots = vec4<f32>(dotBlock(&words, row * 9 * parameters.blocks + block * 8));
      let scale = bitcast<f32>(x[row * 9 * parameters.blocks + 8 * parameters.blocks + block]);
      sums[r] = fma(dots, ofWeights * scale, sums[r]);
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    for (var i = 0u; i < 4; i++) {
      partials[(r * lanes + lane) * 16 + quad * 4 + i] = sums[r][i];
    }
  }
  workgroupBarrier();
  let r = thread / 8;
  if (r < ROWS && first + r < parameters.numRows) {
    let n = thread % 8 * 2;
    var totals = vec2<f32>(0);
    for (var g = 0u; g < lanes; g++) {
      let at = (r * lanes + g) * 16 + n;
      totals += vec2<f32>(partials[at], partials[at + 1]);
    }
    let row = parameters.outFirstRow + first + r;
    store(row * parameters.outStride + panel * 16 + n, totals);
  }
}

@compute @workgroup_size(128)
fn fromImmediates(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  run(immediates, workgroup, thread);
}

@compute @workgroup_size(128)
fn fromUniform(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  run(uniforms, workgroup, thread);
}

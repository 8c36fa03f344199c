// out[t, n] = sum over k of x[t, k] × w[n, k], for a few rows t and a matrix of f32, f16 or bf16.
//
// x: [T, K] and w: [N, K], both f32 or both bf16, or f32 and f16, row by row, K in whole blocks of 32
// and N in whole sixteens. out: [T, outStride] words of f32, or half as many of bf16 pairs.
// A workgroup computes 16 rows n for ROWS rows t: 32 lanes by 4 row quads. Thread (lane, quad)
// walks blocks lane, lane + 32 ..., for rows 4 quad .. 4 quad + 3, eight columns at a time by
// 16-byte loads, which serve all ROWS rows of x.
// The order of sums is that of ADR 0013. Grid: N / 16, rows t / ROWS.
// Source: several rows a workgroup as in ggml's mul_mat_vec.wgsl.
requires immediate_address_space;

struct Parameters {
  numRows: u32,
  xFirstRow: u32,
  outFirstRow: u32,
  blocks: u32, // K / 32
  panels: u32, // N / 16
  outStride: u32, // values from one row of out to the next
}

var<immediate> immediates: Parameters;
@group(0) @binding(0) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;
@group(0) @binding(3) var<uniform> uniforms: Parameters;

override BITS: u32 = 32; // of a weight: 32 or 16
override HALF: bool = false; // weights are f16 and x is f32; else x is as weights are
override ROWS: u32 = 1; // 1 .. 8
override OUTPUT: u32 = 0; // 0: f32, 1: bf16, 2: f32 added to what out holds

const lanes = 32u;

var<workgroup> partials: array<f32, ROWS * 512>; // [row][lane][16]

fn ofBf16(words: vec4<u32>) -> array<f32, 8> {
  let even = bitcast<vec4<f32>>(words << vec4<u32>(16));
  let odd = bitcast<vec4<f32>>(words & vec4<u32>(0xffff0000));
  return array<f32, 8>(even.x, odd.x, even.y, odd.y, even.z, odd.z, even.w, odd.w);
}

// Of bits of f16 numbers, subnormal ones included; weights are never infinite or NaN.
fn fromHalf(bits: vec4<u32>) -> vec4<f32> {
  let size = bits & vec4<u32>(0x7fff);
  let normal = (size << vec4<u32>(13)) + vec4<u32>(0x38000000);
  let tiny = bitcast<vec4<u32>>(vec4<f32>(size) * 5.9604644775390625e-8); // 2⁻²⁴
  let unsigned = select(normal, tiny, size < vec4<u32>(0x400));
  return bitcast<vec4<f32>>(unsigned | ((bits & vec4<u32>(0x8000)) << vec4<u32>(16)));
}

fn ofHalves(words: vec4<u32>) -> array<f32, 8> {
  let even = fromHalf(words & vec4<u32>(0xffff));
  let odd = fromHalf(words >> vec4<u32>(16));
  return array<f32, 8>(even.x, odd.x, even.y, odd.y, even.z, odd.z, even.w, odd.w);
}

fn plain(low: vec4<u32>, high: vec4<u32>) -> array<f32, 8> {
  let a = bitcast<vec4<f32>>(low);
  let b = bitcast<vec4<f32>>(high);
  return array<f32, 8>(a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w);
}

fn eightOfWeights(blocks: u32, row: u32, piece: u32) -> array<f32, 8> {
  let at = row * 4 * blocks + piece;
  if (HALF) {
    return ofHalves(weights[at]);
  }
  if (BITS == 16) {
    return ofBf16(weights[at]);
  }
  return plain(weights[2 * at], weights[2 * at + 1]);
}

fn eightOfX(blocks: u32, row: u32, piece: u32) -> array<f32, 8> {
  let at = row * 4 * blocks + piece;
  if (BITS == 16 && !HALF) {
    return ofBf16(x[at]);
  }
  return plain(x[2 * at], x[2 * at + 1]);
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
  let n = workgroup.x * 16 + quad * 4;
  let first = workgroup.y * ROWS;
  var sums = array<vec4<f32>, 8>();
  for (var block = lane; block < parameters.blocks; block += lanes) {
    var products = array<vec4<f32>, 8>();
    for (var piece = block * 4; piece < block * 4 + 4; piece++) {
      var a = eightOfWeights(parameters.blocks, n, piece);
      var b = eightOfWeights(parameters.blocks, n + 1, piece);
      var c = eightOfWeights(parameters.blocks, n + 2, piece);
      var d = eightOfWeights(parameters.blocks, n + 3, piece);
      for (var r = 0u; r < ROWS; r++) {
        let row = parameters.xFirstRow + min(first + r, parameters.numRows - 1);
        var ofX = eightOfX(parameters.blocks, row, piece);
        for (var i = 0u; i < 8; i++) {
          let column = vec4<f32>(a[i], b[i], c[i], d[i]);
          products[r] = fma(column, vec4<f32>(ofX[i]), products[r]);
        }
      }
    }
    for (var r = 0u; r < ROWS; r++) {
      sums[r] += products[r];
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
    let pair = thread % 8 * 2;
    var totals = vec2<f32>(0);
    for (var g = 0u; g < lanes; g++) {
      let at = (r * lanes + g) * 16 + pair;
      totals += vec2<f32>(partials[at], partials[at + 1]);
    }
    let row = parameters.outFirstRow + first + r;
    store(row * parameters.outStride + workgroup.x * 16 + pair, totals);
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

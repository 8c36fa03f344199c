// hidden[t, i] = silu(w1 x)[t, i] × (w3 x)[t, i], quantised, for a few rows t of an expert of q8 or
// q4 panels.
//
// x and hidden: rows of q8 activations, as in multiply-panels-few.wgsl; w1, w3: [I, K].
// A workgroup computes two panels of each matrix, the 32 columns of one block of hidden, for ROWS
// rows t: 32 lanes by 8 row quads, first over w1, then over w3. So it knows the block's largest
// value and can quantise it. The sums are those of multiply-panels-few.wgsl, to the bit.
// Grid: I / 32, rows t / ROWS.
// Source: fused gate and up projections as in ONNX Runtime's QMoE.
requires immediate_address_space;
requires packed_4x8_integer_dot_product;

struct Parameters {
  numRows: u32,
  xFirstRow: u32,
  blocks: u32, // K / 32
  hiddenBlocks: u32, // I / 32
}

var<immediate> immediates: Parameters;
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> quants1: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> scales1: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> quants3: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> scales3: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read_write> hidden: array<u32>;
@group(0) @binding(6) var<uniform> uniforms: Parameters;

override BITS: u32 = 8; // of a weight: 8 or 4
override ROWS: u32 = 1; // 1 .. 8
override PACKED_DOT: bool = true; // by dot4I8Packed, or by plain products

const lanes = 32u;

var<workgroup> partials: array<f32, 1024>; // [lane][32]: of one row t
var<workgroup> totals: array<f32, ROWS * 64>; // [matrix][row][32]

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

// 16 bytes of one matrix or the other.
fn loadQuants(matrix: u32, at: u32) -> vec4<u32> {
  if (matrix == 0) {
    return quants1[at];
  }
  return quants3[at];
}

// Columns 4c .. 4c + 3 of a block for four rows: signed in q8, 8 too large in q4.
fn loadBlock(matrix: u32, panelBlock: u32, quad: u32) -> array<vec4<u32>, 8> {
  var words = array<vec4<u32>, 8>();
  if (BITS == 8) {
    for (var c = 0u; c < 8; c++) {
      words[c] = loadQuants(matrix, (panelBlock * 8 + c) * 4 + quad) ^ vec4<u32>(0x80808080);
    }
  } else {
    for (var c = 0u; c < 4; c++) {
      let nibbles = loadQuants(matrix, (panelBlock * 4 + c) * 4 + quad);
      words[2 * c] = nibbles & vec4<u32>(0x0f0f0f0f);
      words[2 * c + 1] = (nibbles >> vec4<u32>(4)) & vec4<u32>(0x0f0f0f0f);
    }
  }
  return words;
}

// Bits of four scales of one matrix or the other.
fn loadScalePairs(matrix: u32, at: u32) -> vec2<u32> {
  if (matrix == 0) {
    return scales1[at];
  }
  return scales3[at];
}

fn loadScales(matrix: u32, at: u32) -> vec4<f32> {
  let pairs = loadScalePairs(matrix, at);
  return bitcast<vec4<f32>>(
    vec4<u32>(pairs.x << 16, pairs.x & 0xffff0000, pairs.y << 16, pairs.y & 0xffff0000));
}

fn dotBlock(words: ptr<function, array<vec4<u32>, 8>>, xAt: u32) -> vec4<i32> {
  var sums = vec4<i32>(0);
  var sumOfX = 0;
  for (var c = 0u; c < 8; c++) {
    let four = x[xAt + c];
    let rows = words[c];
    sums += vec4<i32>(
      dotBytes(rows.x, four), dotBytes(rows.y, four), dotBytes(rows.z, four),
      dotBytes(rows.w, four));
    if (BITS == 4) {
      sumOfX += dotBytes(0x01010101, four);
    }
  }
  return sums - vec4<i32>(8 * sumOfX);
}

// e^x within 2 units in the last place for x in [-87.3, 88.3]; x beyond is taken as that bound.
// x = n ln 2 + r; e^r by its Taylor polynomial; 2^n by setting the exponent.
fn exponential(x: f32) -> f32 {
  let bounded = clamp(x, -87.3, 88.3);
  let n = round(bounded * 1.44269504);
  let r = fma(n, -1.42860677e-6, fma(n, -0.693145752, bounded));
  var p = fma(1.98412698e-4, r, 1.38888889e-3);
  p = fma(p, r, 8.33333333e-3);
  p = fma(p, r, 4.16666667e-2);
  p = fma(p, r, 1.66666667e-1);
  p = fma(p, r, 0.5);
  p = fma(p, r, 1.0);
  p = fma(p, r, 1.0);
  return p * bitcast<f32>(u32(i32(n) + 127) << 23);
}

fn silu(x: f32) -> f32 {
  return x / (1.0 + exponential(-x));
}

// Word c of a block of 32 values at `first` of totals, and with the first word the block's scale.
fn storeBlock(first: u32, rowAt: u32, block: u32, c: u32, hiddenBlocks: u32) {
  var top = 0u; // bits of magnitudes rise with them; NaN's are above infinity's
  for (var i = 0u; i < 32; i++) {
    top = max(top, bitcast<u32>(totals[first + i]) & 0x7fffffff);
  }
  let isFinite = top < 0x7f800000;
  let isScalable = isFinite && top > 0x02fe0000; // else 127 / amax overflows
  let amax = bitcast<f32>(top);
  var word = 0u;
  if (isScalable) {
    for (var i = 0u; i < 4; i++) {
      let quant = i32(round(totals[first + c * 4 + i] * (127.0 / amax)));
      word |= (bitcast<u32>(quant) & 0xff) << (8 * i);
    }
  }
  hidden[rowAt + block * 8 + c] = word;
  if (c == 0) {
    let scale = select(0u, bitcast<u32>(amax / 127.0), isScalable);
    hidden[rowAt + hiddenBlocks * 8 + block] = select(0x7fc00000u, scale, isFinite);
  }
}

fn run(parameters: Parameters, workgroup: vec3<u32>, thread: u32) {
  let quad = thread % 4;
  let lane = thread / 4 % lanes;
  let panel = workgroup.x * 2 + thread / 128;
  let first = workgroup.y * ROWS;
  for (var matrix = 0u; matrix < 2; matrix++) {
    var sums = array<vec4<f32>, 8>();
    for (var block = lane; block < parameters.blocks; block += lanes) {
      let panelBlock = panel * parameters.blocks + block;
      var words = loadBlock(matrix, panelBlock, quad);
      let ofWeights = loadScales(matrix, panelBlock * 4 + quad);
      for (var r = 0u; r < ROWS; r++) {
        let row = parameters.xFirstRow + min(first + r, parameters.numRows - 1);
        let rowAt = row * 9 * parameters.blocks;
        let dots = vec4<f32>(dotBlock(&words, rowAt + block * 8));
        let scale = bitcast<f32>(x[rowAt + 8 * parameters.blocks + block]);
        sums[r] = fma(dots, ofWeights * scale, sums[r]);
      }
    }
    for (var r = 0u; r < ROWS; r++) {
      for (var i = 0u; i < 4; i++) {
        partials[lane * 32 + thread / 128 * 16 + quad * 4 + i] = sums[r][i];
      }
      workgroupBarrier();
      if (thread < 32) {
        var total = 0.0;
        for (var g = 0u; g < lanes; g++) {
          total += partials[g * 32 + thread];
        }
        totals[(matrix * ROWS + r) * 32 + thread] = total;
      }
      workgroupBarrier();
    }
  }
  if (thread < ROWS * 32) {
    totals[thread] = silu(totals[thread]) * totals[ROWS * 32 + thread];
  }
  workgroupBarrier();
  let r = thread / 8;
  if (r < ROWS && first + r < parameters.numRows) {
    let rowAt = (first + r) * 9 * parameters.hiddenBlocks;
    storeBlock(r * 32, rowAt, workgroup.x, thread % 8, parameters.hiddenBlocks);
  }
}

@compute @workgroup_size(256)
fn fromImmediates(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  run(immediates, workgroup, thread);
}

@compute @workgroup_size(256)
fn fromUniform(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  run(uniforms, workgroup, thread);
}

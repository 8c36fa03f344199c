// out[t, n] = sum over k of x[t, k] × w[n, k], for many rows t and a matrix of q8 or q4 panels.
//
// x, w, out: as in multiply-panels-few.wgsl, and the same bits.
// A workgroup computes 64 rows n (four panels) by 16 TOKENS rows t; a thread 4 by TOKENS of them.
// One block of 32 columns at a time goes through workgroup memory, as signed bytes. Blocks are
// walked in the order of the lanes of ADR 0013, g outside and j inside, and a lane's sum is added
// to the total when the lane is done. Grid: panels / 4, rows t / (16 TOKENS).
// Source: the tile of ONNX Runtime's dp4a_matmul.
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
override TOKENS: u32 = 4; // rows t a thread: 1 .. 8
override OUTPUT: u32 = 0; // 0: f32, 1: bf16, 2: f32 added to what out holds
override PACKED_DOT: bool = true; // by dot4I8Packed, or by plain products

const lanes = 32u;
const quadsOfTile = 16u;

var<workgroup> weightTile: array<vec4<u32>, 128>; // [word][quad]: four rows by four columns
var<workgroup> weightScales: array<vec4<f32>, 16>; // [quad]
var<workgroup> xTile: array<u32, TOKENS * 128>; // [word][row]
var<workgroup> xScales: array<f32, TOKENS * 16>; // [row]

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

// Nibbles 0 .. 15, a byte each, less 8: borrows are kept within each byte by its top bit.
fn less8(nibbles: vec4<u32>) -> vec4<u32> {
  return ((nibbles | vec4<u32>(0x80808080)) - vec4<u32>(0x08080808)) ^ vec4<u32>(0x80808080);
}

fn loadWeights(parameters: Parameters, tile: u32, block: u32, thread: u32) {
  let quad = thread % quadsOfTile;
  let c = thread / quadsOfTile;
  // Past the last panel the last one is read again, for sums that are not stored.
  let at = min(tile * 4 + quad / 4, parameters.panels - 1) * parameters.blocks + block;
  if (BITS == 8 && c < 8) {
    let bytes = quants[(at * 8 + c) * 4 + quad % 4];
    weightTile[c * quadsOfTile + quad] = bytes ^ vec4<u32>(0x80808080);
  }
  if (BITS == 4 && c < 4) {
    let nibbles = quants[(at * 4 + c) * 4 + quad % 4];
    let low = nibbles & vec4<u32>(0x0f0f0f0f);
    let high = (nibbles >> vec4<u32>(4)) & vec4<u32>(0x0f0f0f0f);
    weightTile[2 * c * quadsOfTile + quad] = less8(low);
    weightTile[(2 * c + 1) * quadsOfTile + quad] = less8(high);
  }
  if (c == 8) {
    let pairs = scales[at * 4 + quad % 4];
    weightScales[quad] = bitcast<vec4<f32>>(
      vec4<u32>(pairs.x << 16, pairs.x & 0xffff0000, pairs.y << 16, pairs.y & 0xffff0000));
  }
}

fn loadX(parameters: Parameters, first: u32, block: u32, thread: u32) {
  let tileRows = TOKENS * 16;
  for (var at = thread; at < tileRows * 8; at += 256) {
    let row = parameters.xFirstRow + min(first + at / 8, parameters.numRows - 1);
    xTile[at % 8 * tileRows + at / 8] = x[row * 9 * parameters.blocks + block * 8 + at % 8];
  }
  if (thread < tileRows) {
    let row = parameters.xFirstRow + min(first + thread, parameters.numRows - 1);
    xScales[thread] = bitcast<f32>(x[row * 9 * parameters.blocks + 8 * parameters.blocks + block]);
  }
}

fn bf16Bits(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) {
    return (bits >> 16) | 0x40; // NaN stays one
  }
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

fn store(at: u32, values: vec4<f32>) {
  if (OUTPUT == 1) {
    out[at / 2] = bf16Bits(values.x) | (bf16Bits(values.y) << 16);
    out[at / 2 + 1] = bf16Bits(values.z) | (bf16Bits(values.w) << 16);
    return;
  }
  for (var i = 0u; i < 4; i++) {
    var value = values[i];
    if (OUTPUT == 2) {
      value = bitcast<f32>(out[at + i]) + value;
    }
    out[at + i] = bitcast<u32>(value);
  }
}

fn run(parameters: Parameters, workgroup: vec3<u32>, thread: u32) {
  let tileRows = TOKENS * 16;
  let quad = thread % quadsOfTile;
  let group = thread / quadsOfTile * TOKENS; // the thread's first row of the tile
  let first = workgroup.y * tileRows;
  var totals: array<vec4<f32>, 8>;
  for (var g = 0u; g < min(lanes, parameters.blocks); g++) {
    var sums = array<vec4<f32>, 8>();
    for (var block = g; block < parameters.blocks; block += lanes) {
      workgroupBarrier();
      loadWeights(parameters, workgroup.x, block, thread);
      loadX(parameters, first, block, thread);
      workgroupBarrier();
      var dots = array<vec4<i32>, 8>();
      for (var c = 0u; c < 8; c++) {
        let four = weightTile[c * quadsOfTile + quad];
        for (var r = 0u; r < TOKENS; r++) {
          let ofX = xTile[c * tileRows + group + r];
          dots[r] += vec4<i32>(
            dotBytes(four.x, ofX), dotBytes(four.y, ofX), dotBytes(four.z, ofX),
            dotBytes(four.w, ofX));
        }
      }
      for (var r = 0u; r < TOKENS; r++) {
        sums[r] = fma(vec4<f32>(dots[r]), weightScales[quad] * xScales[group + r], sums[r]);
      }
    }
    for (var r = 0u; r < TOKENS; r++) {
      totals[r] += sums[r];
    }
  }
  if (workgroup.x * 4 + quad / 4 < parameters.panels) {
    for (var r = 0u; r < TOKENS; r++) {
      if (first + group + r < parameters.numRows) {
        let row = parameters.outFirstRow + first + group + r;
        store(row * parameters.outStride + workgroup.x * 64 + quad * 4, totals[r]);
      }
    }
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

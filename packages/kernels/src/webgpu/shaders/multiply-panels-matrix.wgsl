// out[t, n] = sum over k of x[t, k] × w[n, k], for many rows t and a matrix of q8 or q4 panels, by
// products of small matrices that a subgroup computes at once: the variant of
// multiply-panels-many.wgsl for devices with chromium-experimental-subgroup-matrix, and the same bits.
//
// x, w, out: as in multiply-panels-few.wgsl. A workgroup computes 64 rows n (four panels) by 16 TOKENS
// rows t. One block of 32 columns at a time goes through workgroup memory, as signed bytes; its
// products are exact integers, of tileM by tileN at a time, one subgroup each, over tileK columns a
// step. They come back through workgroup memory, for 32 rows t at a time, and a thread adds 4 by
// TOKENS of them in the order of ADR 0013. Grid: panels / 4, rows t / (16 TOKENS).
// Source: integer tiles of ONNX Runtime's dp4a_matmul, its subgroup-matrix kernels' use of subgroups.
enable chromium_experimental_subgroup_matrix;
enable subgroups;
requires immediate_address_space;
requires subgroup_id;

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
override TOKENS: u32 = 4; // rows t a thread: 1, 2, 4, 8
override OUTPUT: u32 = 0; // 0: f32, 1: bf16, 2: f32 added to what out holds

// The device's shape of small matrices of signed bytes; no override may be in a type.
const tileM = 8u; // of rows t, in sixteens
const tileN = 8u; // of rows n, in sixty-fours
const tileK = 8u; // of columns, in thirty-twos

const lanes = 32u;
const quadsOfTile = 16u;

override rowsAtOnce: u32 = min(TOKENS, 2u); // of a thread, from dots

var<workgroup> weightTile: array<u32, 512>; // [row n][word]
var<workgroup> weightScales: array<vec4<f32>, 16>; // [quad]
var<workgroup> xTile: array<u32, TOKENS * 128>; // [row t][word]
var<workgroup> xScales: array<f32, TOKENS * 16>; // [row t]
var<workgroup> dots: array<i32, rowsAtOnce * 1024>; // [row t][row n]

// Nibbles 0 .. 15, a byte each, less 8: borrows are kept within each byte by its top bit.
fn less8(nibbles: vec4<u32>) -> vec4<u32> {
  return ((nibbles | vec4<u32>(0x80808080)) - vec4<u32>(0x08080808)) ^ vec4<u32>(0x80808080);
}

// Word c of four rows n, which lie apart in the tile.
fn putWords(quad: u32, c: u32, words: vec4<u32>) {
  for (var i = 0u; i < 4; i++) {
    weightTile[(quad * 4 + i) * 8 + c] = words[i];
  }
}

fn loadWeights(parameters: Parameters, tile: u32, block: u32, thread: u32) {
  let quad = thread % quadsOfTile;
  let c = thread / quadsOfTile;
  // Past the last panel the last one is read again, for sums that are not stored.
  let at = min(tile * 4 + quad / 4, parameters.panels - 1) * parameters.blocks + block;
  if (BITS == 8 && c < 8) {
    putWords(quad, c, quants[(at * 8 + c) * 4 + quad % 4] ^ vec4<u32>(0x80808080));
  }
  if (BITS == 4 && c < 4) {
    let nibbles = quants[(at * 4 + c) * 4 + quad % 4];
    putWords(quad, 2 * c, less8(nibbles & vec4<u32>(0x0f0f0f0f)));
    putWords(quad, 2 * c + 1, less8((nibbles >> vec4<u32>(4)) & vec4<u32>(0x0f0f0f0f)));
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
    xTile[at] = x[row * 9 * parameters.blocks + block * 8 + at % 8];
  }
  if (thread < tileRows) {
    let row = parameters.xFirstRow + min(first + thread, parameters.numRows - 1);
    xScales[thread] = bitcast<f32>(x[row * 9 * parameters.blocks + 8 * parameters.blocks + block]);
  }
}

// Products of the block, for the rows t of the tile from firstRow on that dots has room for.
fn multiplyTiles(firstRow: u32, subgroup: u32, subgroups: u32) {
  let across = 64 / tileN;
  for (var i = subgroup; i < rowsAtOnce * 16 / tileM * across; i += subgroups) {
    let row = i / across * tileM;
    let column = i % across * tileN;
    var products = subgroup_matrix_result<i32, tileN, tileM>();
    for (var k = 0u; k < 32; k += tileK) {
      let ofX = subgroupMatrixLoad<subgroup_matrix_left<i8, tileK, tileM>, row_major>(
        &xTile, (firstRow + row) * 8 + k / 4, 8u);
      let ofWeights = subgroupMatrixLoad<subgroup_matrix_right<i8, tileN, tileK>, col_major>(
        &weightTile, column * 8 + k / 4, 8u);
      products = subgroupMatrixMultiplyAccumulate(ofX, ofWeights, products);
    }
    subgroupMatrixStore<row_major>(&dots, row * 64 + column, products, 64u);
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

fn run(parameters: Parameters, workgroup: vec3<u32>, thread: u32, subgroup: u32, subgroups: u32) {
  let quad = thread % quadsOfTile;
  let group = thread / quadsOfTile * rowsAtOnce; // the thread's first row of those in dots
  let first = workgroup.y * TOKENS * 16;
  var totals: array<vec4<f32>, 8>;
  for (var g = 0u; g < min(lanes, parameters.blocks); g++) {
    var sums = array<vec4<f32>, 8>();
    for (var block = g; block < parameters.blocks; block += lanes) {
      workgroupBarrier();
      loadWeights(parameters, workgroup.x, block, thread);
      loadX(parameters, first, block, thread);
      for (var done = 0u; done < TOKENS; done += rowsAtOnce) {
        workgroupBarrier();
        multiplyTiles(done * 16, subgroup, subgroups);
        workgroupBarrier();
        for (var r = 0u; r < rowsAtOnce; r++) {
          let at = (group + r) * 64 + quad * 4;
          let four = vec4<f32>(vec4<i32>(dots[at], dots[at + 1], dots[at + 2], dots[at + 3]));
          let scale = weightScales[quad] * xScales[done * 16 + group + r];
          sums[done + r] = fma(four, scale, sums[done + r]);
        }
      }
    }
    for (var r = 0u; r < TOKENS; r++) {
      totals[r] += sums[r];
    }
  }
  if (workgroup.x * 4 + quad / 4 < parameters.panels) {
    for (var r = 0u; r < TOKENS; r++) {
      let row = first + r / rowsAtOnce * rowsAtOnce * 16 + group + r % rowsAtOnce;
      if (row < parameters.numRows) {
        let at = (parameters.outFirstRow + row) * parameters.outStride;
        store(at + workgroup.x * 64 + quad * 4, totals[r]);
      }
    }
  }
}

@compute @workgroup_size(256)
fn fromImmediates(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(num_subgroups) subgroups: u32,
) {
  run(immediates, workgroup, thread, subgroup, subgroups);
}

@compute @workgroup_size(256)
fn fromUniform(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(num_subgroups) subgroups: u32,
) {
  run(uniforms, workgroup, thread, subgroup, subgroups);
}

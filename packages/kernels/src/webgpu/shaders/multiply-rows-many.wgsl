// out[t, n] = sum over k of x[t, k] × w[n, k], for many rows t and a matrix of f32, f16 or
// bf16.
//
// x, w, out: as in multiply-rows-few.wgsl, and the same bits.
// A workgroup computes 64 rows n by 16 TOKENS rows t; a thread 4 by TOKENS of them. Half a block,
// 16 columns, at a time goes through workgroup memory, as f32. Blocks are walked in the order of
// the lanes of ADR 0013, g outside and j inside: a block's products are added to the lane's sum
// when the block is done, and that to the total when the lane is. Grid: N / 64, rows t / (16
// TOKENS).
// Source: register tiles of 8 by 4 as in localfold's f32 GEMM.
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
override TOKENS: u32 = 4; // rows t a thread: 1 .. 8
override OUTPUT: u32 = 0; // 0: f32, 1: bf16, 2: f32 added to what out holds

const lanes = 32u;
const tileColumns = 64u; // rows n of a workgroup: columns of its part of out
const steps = 16u; // columns of x and w at a time

var<workgroup> weightTile: array<f32, 1024>; // [step][row n]
var<workgroup> xTile: array<f32, TOKENS * 256>; // [step][row t]

// Of bits of f16 numbers, subnormal ones included; weights are never infinite or NaN.
fn fromHalf(bits: vec4<u32>) -> vec4<f32> {
  let size = bits & vec4<u32>(0x7fff);
  let normal = (size << vec4<u32>(13)) + vec4<u32>(0x38000000);
  let tiny = bitcast<vec4<u32>>(vec4<f32>(size) * 5.9604644775390625e-8); // 2⁻²⁴
  let unsigned = select(normal, tiny, size < vec4<u32>(0x400));
  return bitcast<vec4<f32>>(unsigned | ((bits & vec4<u32>(0x8000)) << vec4<u32>(16)));
}

// What 16 bytes of weights or of x hold, of that many bits.
fn elements(words: vec4<u32>, bits: u32) -> array<f32, 8> {
  if (bits == 32) {
    let plain = bitcast<vec4<f32>>(words);
    return array<f32, 8>(plain.x, plain.y, plain.z, plain.w, 0, 0, 0, 0);
  }
  var even = bitcast<vec4<f32>>(words << vec4<u32>(16));
  var odd = bitcast<vec4<f32>>(words & vec4<u32>(0xffff0000));
  if (HALF) {
    even = fromHalf(words & vec4<u32>(0xffff));
    odd = fromHalf(words >> vec4<u32>(16));
  }
  return array<f32, 8>(even.x, odd.x, even.y, odd.y, even.z, odd.z, even.w, odd.w);
}

// 16 columns from column 16 × half on, into both tiles.
fn load(parameters: Parameters, workgroup: vec3<u32>, half: u32, thread: u32) {
  loadWeights(parameters, workgroup.x * tileColumns, half, thread);
  loadX(parameters, workgroup.y * TOKENS * 16, half, thread);
}

fn loadWeights(parameters: Parameters, first: u32, half: u32, thread: u32) {
  let perPiece = 128 / BITS; // elements of 16 bytes
  let pieces = steps / perPiece; // of one row
  let rowPieces = parameters.blocks * 32 / perPiece;
  for (var at = thread; at < tileColumns * pieces; at += 256) {
    let n = at / pieces;
    let piece = at % pieces;
    // Past the last row the last ones are read again, for sums that are not stored.
    let row = min(first + n, parameters.panels * 16 - 1);
    var found = elements(weights[row * rowPieces + half * pieces + piece], BITS);
    for (var i = 0u; i < perPiece; i++) {
      weightTile[(piece * perPiece + i) * tileColumns + n] = found[i];
    }
  }
}

fn loadX(parameters: Parameters, first: u32, half: u32, thread: u32) {
  let bits = select(BITS, 32u, HALF);
  let perPiece = 128 / bits;
  let pieces = steps / perPiece;
  let rowPieces = parameters.blocks * 32 / perPiece;
  let tileRows = TOKENS * 16;
  for (var at = thread; at < tileRows * pieces; at += 256) {
    let t = at / pieces;
    let piece = at % pieces;
    let row = parameters.xFirstRow + min(first + t, parameters.numRows - 1);
    var found = elements(x[row * rowPieces + half * pieces + piece], bits);
    for (var i = 0u; i < perPiece; i++) {
      xTile[(piece * perPiece + i) * tileRows + t] = found[i];
    }
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
  let column = thread % 16 * 4; // the thread's first row n of the tile
  let group = thread / 16 * TOKENS; // and its first row t
  var totals: array<vec4<f32>, 8>;
  for (var g = 0u; g < min(lanes, parameters.blocks); g++) {
    var sums = array<vec4<f32>, 8>();
    for (var block = g; block < parameters.blocks; block += lanes) {
      var products = array<vec4<f32>, 8>();
      for (var half = 2 * block; half < 2 * block + 2; half++) {
        workgroupBarrier();
        load(parameters, workgroup, half, thread);
        workgroupBarrier();
        for (var step = 0u; step < steps; step++) {
          let at = step * tileColumns + column;
          let four = vec4<f32>(
            weightTile[at], weightTile[at + 1], weightTile[at + 2], weightTile[at + 3]);
          for (var r = 0u; r < TOKENS; r++) {
            let ofX = vec4<f32>(xTile[step * tileRows + group + r]);
            products[r] = fma(four, ofX, products[r]);
          }
        }
      }
      for (var r = 0u; r < TOKENS; r++) {
        sums[r] += products[r];
      }
    }
    for (var r = 0u; r < TOKENS; r++) {
      totals[r] += sums[r];
    }
  }
  let n = workgroup.x * tileColumns + column;
  if (n < parameters.panels * 16) {
    for (var r = 0u; r < TOKENS; r++) {
      let t = workgroup.y * tileRows + group + r;
      if (t < parameters.numRows) {
        store((parameters.outFirstRow + t) * parameters.outStride + n, totals[r]);
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

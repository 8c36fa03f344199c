// residual[r] += Σ_k weight[r, k] × input[row[r, k]], then x = residual[r] / rms(residual[r]) × norm,
// where rms(a) = sqrt(mean(a²) + eps) and r = rows[i]. A combine of experts' answers, the residual of
// the output projection (one route, weight 1) and the embedding (one route, onto zero) are all this.
//
// residual [T, stride] f32. input [any, inputWords × 32 bits] bf16 or f32. routes [T, perToken] of
// (row, f32 weight), added in their order from 0. rows [n]. norm [width] f32. encoded [n, rowWords]:
// x as matrices take it (f32; bf16; 32 signed bytes to a block, then the blocks' f32 scales), padding
// left alone. normed [n, width]: x in f32. faults [n]: 1 if the residual holds NaN or infinity, told
// by its bits.
//
// One workgroup per i; a thread owns every LANES-th four neighbours. Squares are summed thread by
// thread, then over the threads by a binary tree: neighbours, then pairs of neighbours, and so on.
// Lanes are numbered so that a subgroup's follow each other. Subgroups of any power of two.
// The variant of combine-norm.wgsl for devices with subgroups: the same bits with a barrier or two
// in place of three and two for every tile.
// Source: transformers, modeling_mixtral.py, MixtralRMSNorm; the combine's order is the seam's.
enable subgroups;
requires immediate_address_space;
requires subgroup_id;

override INPUT_BF16: bool;
override ONTO_ZERO: bool;
override FORMAT: u32; // 0 f32, 1 bf16, 2 q8

override LANES: u32; // 64 or 256

override tile: u32 = 4u * LANES;
const blockLanes = 8u; // of 32 elements

struct Parameters {
  width: u32,
  stride: u32, // of residual, its padding included
  perToken: u32,
  inputWords: u32,
  rowWords: u32,
  eps: f32,
}

@group(0) @binding(0) var<storage, read_write> residual: array<f32>;
@group(0) @binding(1) var<storage, read> input: array<u32>;
@group(0) @binding(2) var<storage, read> routes: array<vec2u>;
@group(0) @binding(3) var<storage, read> rows: array<u32>;
@group(0) @binding(4) var<storage, read> norm: array<f32>;
@group(0) @binding(5) var<storage, read_write> encoded: array<u32>;
@group(0) @binding(6) var<storage, read_write> normed: array<f32>;
@group(0) @binding(7) var<storage, read_write> faults: array<u32>;
@group(0) @binding(8) var<uniform> uniforms: Parameters;
var<immediate> immediates: Parameters;

var<workgroup> sums: array<f32, LANES>;
var<workgroup> anyFault: atomic<u32>;

fn isFinite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

fn bf16Bits(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  return (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
}

fn readInput(row: u32, h: u32) -> f32 {
  if (!INPUT_BF16) {
    return bitcast<f32>(input[row + h]);
  }
  let pair = input[row + h / 2u];
  return bitcast<f32>(select(pair << 16u, pair & 0xffff0000u, h % 2u == 1u));
}

// Adds the routes of row r, and returns the thread's part of Σ residual².
fn addRoutes(r: u32, lane: u32, parameters: Parameters) -> f32 {
  let width = parameters.width;
  let perToken = parameters.perToken;
  var squares = 0.0;
  for (var first = lane * 4u; first < width; first += tile) {
    for (var h = first; h < min(first + 4u, width); h++) {
      var added = 0.0;
      for (var k = 0u; k < perToken; k++) {
        let route = routes[r * perToken + k];
        let x = readInput(route.x * parameters.inputWords, h);
        added = fma(bitcast<f32>(route.y), x, added);
      }
      var x = added;
      if (!ONTO_ZERO) {
        x = residual[r * parameters.stride + h] + added;
      }
      residual[r * parameters.stride + h] = x;
      if (!isFinite(x)) {
        atomicOr(&anyFault, 1u);
      }
      squares = fma(x, x, squares);
    }
  }
  return squares;
}

// Σ over the workgroup, by a tree whose lower steps are within subgroups: what those make is put into
// sums, and summed by the same steps, until one subgroup holds it all.
fn total(part: f32, lane: u32, subgroupSize: u32) -> f32 {
  var sum = part;
  var count = LANES; // values to be summed, of which every lane holds one
  var free = 0u; // where sums is free
  loop {
    for (var step = 1u; step < min(subgroupSize, count); step *= 2u) {
      sum += subgroupShuffleXor(sum, step);
    }
    if (count <= subgroupSize && free > 0u) {
      break;
    }
    count = max(count / subgroupSize, 1u);
    if (lane % subgroupSize == 0u && lane < count * subgroupSize) {
      sums[free + lane / subgroupSize] = sum;
    }
    workgroupBarrier();
    sum = sums[free + lane % count];
    free += count;
  }
  return sum;
}

// Largest of what the eight lanes hold that have the caller's block.
fn blockLargest(part: f32, lane: u32, subgroupSize: u32) -> f32 {
  var largest = part;
  for (var step = 1u; step < min(subgroupSize, blockLanes); step *= 2u) {
    largest = max(largest, subgroupShuffleXor(largest, step));
  }
  if (subgroupSize < blockLanes) {
    workgroupBarrier();
    sums[lane] = largest;
    workgroupBarrier();
    let first = lane / blockLanes * blockLanes;
    for (var i = 0u; i < blockLanes; i += subgroupSize) {
      largest = max(largest, sums[first + i]);
    }
  }
  return largest;
}

// Four quants as one word, and by the block's first lane its scale: 0 where 127 / largest would
// overflow, NaN where the row is not finite.
fn encodeQuants(row: u32, h: u32, x: vec4f, largest: f32, width: u32) {
  let isFaulty = atomicLoad(&anyFault) != 0u;
  let isScalable = largest > 3.7322e-37 && !isFaulty;
  let inverse = select(0.0, 127.0 / largest, isScalable);
  let quants = vec4u(vec4i(round(x * inverse))) & vec4u(0xffu);
  encoded[row + h / 4u] = quants.x | (quants.y << 8u) | (quants.z << 16u) | (quants.w << 24u);
  if (h % 32u == 0u) {
    let scale = select(0u, bitcast<u32>(largest / 127.0), isScalable);
    encoded[row + (width + h / 8u) / 4u] = select(scale, 0x7fc00000u, isFaulty);
  }
}

fn encodeDense(row: u32, h: u32, x: vec4f, width: u32) {
  for (var j = 0u; j < 4u && h + j < width; j++) {
    if (FORMAT == 0u) {
      encoded[row + h + j] = bitcast<u32>(x[j]);
    } else if (j % 2u == 0u) {
      let upper = select(0u, bf16Bits(x[j + 1u]) << 16u, h + j + 1u < width);
      encoded[row + (h + j) / 2u] = bf16Bits(x[j]) | upper;
    }
  }
}

fn run(i: u32, lane: u32, subgroupSize: u32, parameters: Parameters) {
  let r = rows[i];
  let width = parameters.width;
  let squares = total(addRoutes(r, lane, parameters), lane, subgroupSize);
  let inverse = 1.0 / sqrt(squares / f32(width) + parameters.eps);
  if (lane == 0u) {
    faults[i] = atomicLoad(&anyFault);
  }
  let row = i * parameters.rowWords;
  for (var base = 0u; base < width; base += tile) {
    let h = base + lane * 4u;
    var x = vec4f();
    for (var j = 0u; j < 4u && h + j < width; j++) {
      x[j] = norm[h + j] * (residual[r * parameters.stride + h + j] * inverse);
      normed[i * width + h + j] = x[j];
    }
    if (FORMAT == 2u) {
      let a = abs(x);
      let largest = blockLargest(max(max(a.x, a.y), max(a.z, a.w)), lane, subgroupSize);
      if (h < width) {
        encodeQuants(row, h, x, largest, width);
      }
    } else {
      encodeDense(row, h, x, width);
    }
  }
}

@compute @workgroup_size(LANES)
fn fromImmediates(
  @builtin(workgroup_id) group: vec3u,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) invocation: u32,
  @builtin(subgroup_size) subgroupSize: u32,
) {
  run(group.x, subgroup * subgroupSize + invocation, subgroupSize, immediates);
}

@compute @workgroup_size(LANES)
fn fromUniform(
  @builtin(workgroup_id) group: vec3u,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) invocation: u32,
  @builtin(subgroup_size) subgroupSize: u32,
) {
  run(group.x, subgroup * subgroupSize + invocation, subgroupSize, uniforms);
}

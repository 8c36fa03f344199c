// Puts a query's chunks together, in rising order, and divides: attended = values / weight.
//
// (m, w, v) and the next chunk's (m', w', v') make M = max(m, m'), w e^(m - M) + w' e^(m' - M), and
// v likewise. A long past comes in several passes of numChunks chunks from firstChunk on; carried
// holds what the passes before have made.
//
// tokens [T] of (position, -). chunkValues, chunkStats: as attend-chunks.wgsl has them. carried
// [T, heads × headDim] of (m, w, v). encoded [T, rowWords]: attended as matrices take it (f32; bf16;
// 32 signed bytes to a block, then the blocks' f32 scales), padding left alone.
//
// One workgroup per 64 columns of a token, a thread per column.
// Source: Dao et al., Flash-Decoding, 2023.
requires immediate_address_space;

override FORMAT: u32; // 0 f32, 1 bf16, 2 q8

const chunk = 256u;
const lanes = 64u; // columns of a workgroup, whole blocks

struct Parameters {
  firstChunk: u32,
  numChunks: u32,
  headDim: u32,
  heads: u32,
  kvHeads: u32,
  quadsPerKvHead: u32,
  window: u32, // positions seen, the token's own included
  rowWords: u32,
}

struct Sums {
  largest: f32,
  weight: f32,
  value: f32,
}

@group(0) @binding(0) var<storage, read> tokens: array<vec2u>;
@group(0) @binding(1) var<storage, read> chunkValues: array<f32>;
@group(0) @binding(2) var<storage, read> chunkStats: array<f32>;
@group(0) @binding(3) var<storage, read_write> carried: array<Sums>;
@group(0) @binding(4) var<storage, read_write> encoded: array<u32>;
@group(0) @binding(5) var<uniform> uniforms: Parameters;
var<immediate> immediates: Parameters;

var<workgroup> attended: array<f32, lanes>;

fn merged(a: Sums, b: Sums) -> Sums {
  let largest = max(a.largest, b.largest);
  let ours = exp(a.largest - largest);
  let theirs = exp(b.largest - largest);
  return Sums(
    largest,
    fma(a.weight, ours, b.weight * theirs),
    fma(a.value, ours, b.value * theirs),
  );
}

fn isFinite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

fn bf16Bits(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  return (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
}

// What a column's chunk summed up to.
fn chunkSums(token: u32, chunkIndex: u32, column: u32, parameters: Parameters) -> Sums {
  let head = column / parameters.headDim;
  let group = parameters.heads / parameters.kvHeads;
  let member = head % group;
  let quad = head / group * parameters.quadsPerKvHead + member / 4u;
  let numQuads = parameters.kvHeads * parameters.quadsPerKvHead;
  let at = (token * parameters.numChunks + chunkIndex) * numQuads + quad;
  let row = member % 4u;
  let d = column % parameters.headDim;
  return Sums(
    chunkStats[at * 8u + row],
    chunkStats[at * 8u + 4u + row],
    chunkValues[(at * parameters.headDim + d) * 4u + row],
  );
}

// The bits of a block's scale, and of the factor that makes quants: NaN and 0 for a block with an
// element that is not finite, 0 and 0 where 127 / largest would overflow.
fn blockScale(first: u32) -> vec2u {
  var largest = 0.0;
  var areFinite = true;
  for (var i = 0u; i < 32u; i++) {
    areFinite = areFinite && isFinite(attended[first + i]);
    largest = max(largest, abs(attended[first + i]));
  }
  if (!areFinite) {
    return vec2u(0x7fc00000u, 0u);
  }
  if (largest <= 3.7322e-37) {
    return vec2u();
  }
  return vec2u(bitcast<u32>(largest / 127.0), bitcast<u32>(127.0 / largest));
}

// Writes the columns that the workgroup holds.
fn encode(row: u32, firstColumn: u32, lane: u32, width: u32) {
  if (FORMAT == 0u && firstColumn + lane < width) {
    encoded[row + firstColumn + lane] = bitcast<u32>(attended[lane]);
  }
  if (FORMAT == 1u && lane < lanes / 2u && firstColumn + 2u * lane < width) {
    let pair = bf16Bits(attended[2u * lane]) | (bf16Bits(attended[2u * lane + 1u]) << 16u);
    encoded[row + firstColumn / 2u + lane] = pair;
  }
  if (FORMAT == 2u && lane < lanes / 4u && firstColumn + 4u * lane < width) {
    let block = lane / 8u;
    let scale = blockScale(block * 32u);
    var word = 0u;
    for (var i = 0u; i < 4u; i++) {
      let quant = i32(round(attended[4u * lane + i] * bitcast<f32>(scale.y)));
      word |= (bitcast<u32>(quant) & 0xffu) << (8u * i);
    }
    encoded[row + firstColumn / 4u + lane] = word;
    if (lane % 8u == 0u) {
      encoded[row + width / 4u + firstColumn / 32u + block] = scale.x;
    }
  }
}

fn run(group: vec2u, lane: u32, parameters: Parameters) {
  let token = group.y;
  let column = group.x * lanes + lane;
  let width = parameters.heads * parameters.headDim;
  let position = tokens[token].x;
  let window = parameters.window;
  let first = select(0u, position + 1u - window, position >= window) / chunk;
  let end = position / chunk + 1u;
  let passEnd = parameters.firstChunk + parameters.numChunks;
  let start = max(first, parameters.firstChunk);
  if (start >= min(end, passEnd)) {
    return; // nothing of this token in this pass
  }
  if (column < width) {
    var sums = chunkSums(token, start - parameters.firstChunk, column, parameters);
    if (start > first) {
      sums = merged(carried[token * width + column], sums);
    }
    for (var c = start + 1u; c < min(end, passEnd); c++) {
      sums = merged(sums, chunkSums(token, c - parameters.firstChunk, column, parameters));
    }
    attended[lane] = sums.value / sums.weight;
    if (end > passEnd) {
      carried[token * width + column] = sums;
    }
  }
  workgroupBarrier();
  if (end <= passEnd) {
    encode(token * parameters.rowWords, group.x * lanes, lane, width);
  }
}

@compute @workgroup_size(lanes)
fn fromImmediates(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  run(group.xy, lane, immediates);
}

@compute @workgroup_size(lanes)
fn fromUniform(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  run(group.xy, lane, uniforms);
}

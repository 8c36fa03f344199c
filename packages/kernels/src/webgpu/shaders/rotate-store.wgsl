// Queries, keys and values of T tokens on their way to attention: queries and keys turned by the
// token's position, keys and values written to their slots of the paged cache.
//
// Element i of a head is paired with element i + headDim / 2: a cos - b sin, b cos + a sin. Queries
// come out divided by sqrt(headDim), so that a score is a plain dot product. The cache rounds to
// bf16, to nearest even by integer operations (the same on every device), or keeps f32.
//
// projected [T, rowWords] f32: queries from 0, keys from keysAt, values from valuesAt. angles
// [T, headDim / 2] of (cos, sin). tokens [T] of (position, where its block table begins in blocks).
// queries [T, KV heads × quads, headDim, 4]: the query heads of a KV head by fours, a dimension of
// four heads side by side; what fills up the last four is left alone. keys [block, KV head, step,
// slot] and values [block, KV head, slot, step] of words; a step is one f32 dimension, or two of bf16.
//
// A thread makes two neighbouring dimensions of a query, a key or a value; 256 threads to a workgroup,
// one row of workgroups a token. Source: transformers, modeling_mixtral.py, apply_rotary_pos_emb.
requires immediate_address_space;

override CACHE_BF16: bool;

const lanes = 256u;

struct Parameters {
  headDim: u32,
  heads: u32,
  kvHeads: u32,
  quadsPerKvHead: u32,
  rowWords: u32,
  keysAt: u32,
  valuesAt: u32,
  blockSize: u32,
}

@group(0) @binding(0) var<storage, read> projected: array<f32>;
@group(0) @binding(1) var<storage, read> angles: array<vec2f>;
@group(0) @binding(2) var<storage, read> tokens: array<vec2u>;
@group(0) @binding(3) var<storage, read> blocks: array<u32>;
@group(0) @binding(4) var<storage, read_write> queries: array<f32>;
@group(0) @binding(5) var<storage, read_write> keys: array<u32>;
@group(0) @binding(6) var<storage, read_write> values: array<u32>;
@group(0) @binding(7) var<uniform> uniforms: Parameters;
var<immediate> immediates: Parameters;

// Dimension d of the head that starts at `head` in projected, turned by the token's angles.
fn rotated(token: u32, head: u32, d: u32, headDim: u32) -> f32 {
  let half = headDim / 2u;
  if (d < half) {
    let angle = angles[token * half + d];
    return projected[head + d] * angle.x - projected[head + d + half] * angle.y;
  }
  let angle = angles[token * half + d - half];
  return projected[head + d] * angle.x + projected[head + d - half] * angle.y;
}

fn rotatedPair(token: u32, head: u32, d: u32, headDim: u32) -> vec2f {
  return vec2f(rotated(token, head, d, headDim), rotated(token, head, d + 1u, headDim));
}

fn bf16Bits(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  return (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
}

fn packed(pair: vec2f) -> u32 {
  return bf16Bits(pair.x) | (bf16Bits(pair.y) << 16u);
}

fn storeQuery(token: u32, head: u32, d: u32, pair: vec2f, parameters: Parameters) {
  let group = parameters.heads / parameters.kvHeads;
  let member = head % group;
  let quad = head / group * parameters.quadsPerKvHead + member / 4u;
  let numQuads = parameters.kvHeads * parameters.quadsPerKvHead;
  let at = ((token * numQuads + quad) * parameters.headDim + d) * 4u + member % 4u;
  let scale = sqrt(f32(parameters.headDim));
  queries[at] = pair.x / scale;
  queries[at + 4u] = pair.y / scale;
}

// (block, slot) of a token's position.
fn slotOf(token: u32, parameters: Parameters) -> vec2u {
  let place = tokens[token];
  let size = parameters.blockSize;
  return vec2u(blocks[place.y + place.x / size], place.x % size);
}

fn storeKey(token: u32, head: u32, d: u32, pair: vec2f, parameters: Parameters) {
  let at = slotOf(token, parameters);
  let size = parameters.blockSize;
  let row = (at.x * parameters.kvHeads + head) * parameters.headDim + d;
  if (CACHE_BF16) {
    keys[row / 2u * size + at.y] = packed(pair);
  } else {
    keys[row * size + at.y] = bitcast<u32>(pair.x);
    keys[(row + 1u) * size + at.y] = bitcast<u32>(pair.y);
  }
}

fn storeValue(token: u32, head: u32, d: u32, pair: vec2f, parameters: Parameters) {
  let at = slotOf(token, parameters);
  let row = (at.x * parameters.kvHeads + head) * parameters.blockSize + at.y;
  let element = row * parameters.headDim + d;
  if (CACHE_BF16) {
    values[element / 2u] = packed(pair);
  } else {
    values[element] = bitcast<u32>(pair.x);
    values[element + 1u] = bitcast<u32>(pair.y);
  }
}

fn run(token: u32, pair: u32, parameters: Parameters) {
  let headDim = parameters.headDim;
  let d = pair * 2u % headDim;
  let head = pair * 2u / headDim;
  let heads = parameters.heads;
  let kvHeads = parameters.kvHeads;
  let row = token * parameters.rowWords;
  if (head < heads) {
    let turned = rotatedPair(token, row + head * headDim, d, headDim);
    storeQuery(token, head, d, turned, parameters);
  } else if (head < heads + kvHeads) {
    let kvHead = head - heads;
    let turned = rotatedPair(token, row + parameters.keysAt + kvHead * headDim, d, headDim);
    storeKey(token, kvHead, d, turned, parameters);
  } else if (head < heads + 2u * kvHeads) {
    let kvHead = head - heads - kvHeads;
    let at = row + parameters.valuesAt + kvHead * headDim + d;
    storeValue(token, kvHead, d, vec2f(projected[at], projected[at + 1u]), parameters);
  }
}

@compute @workgroup_size(lanes)
fn fromImmediates(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  run(group.y, group.x * lanes + lane, immediates);
}

@compute @workgroup_size(lanes)
fn fromUniform(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  run(group.y, group.x * lanes + lane, uniforms);
}

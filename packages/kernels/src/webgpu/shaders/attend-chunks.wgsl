// Attention over one chunk of 256 positions: for each query, of the positions p it sees there,
//   largest = max s_p, weight = Σ e^(s_p - largest), values[d] = Σ e^(s_p - largest) × v_p[d]
// where s_p = Σ_d q[d] k_p[d]. merge-chunks.wgsl puts the chunks together.
//
// Rows come in quads: four query heads of one KV head, of one token, in the four components of a
// vector. queries [T, quads, headDim], divided by sqrt(headDim). keys, values, tokens, blocks: as
// rotate-store.wgsl has them. tiles of (token, 1): the tokens that decode, and no others; those of a
// prompt are attend-prefill.wgsl's. chunkValues [T, numChunks, quads, headDim], chunkStats [T,
// numChunks, quads, 2] of largest and weight.
//
// One workgroup per (chunk, quad of a token, token), as four groups of 64 threads, a thread per
// position and then per pair of dimensions. A chunk is four units of 64 positions, each with a
// largest score of its own, merged in rising order: each group has a unit, and what they found meets
// in workgroup memory. Scores are summed over rising d, values over rising p.
// Source: Dao, FlashAttention-2, 2023, and Flash-Decoding; grouping as in Ainslie et al., GQA, 2023.
requires immediate_address_space;

override CACHE_BF16: bool;

const chunk = 256u;
const unit = 64u;
const units = 4u;
const firsts = 8u; // threads of a group that look for the largest score
const unseen = -3e38;

struct Parameters {
  firstTile: u32,
  firstChunk: u32,
  numChunks: u32,
  headDim: u32,
  kvHeads: u32,
  quadsPerKvHead: u32,
  blockSize: u32,
  window: u32, // positions seen, the token's own included
  valueSlices: u32, // workgroups that share the dimensions of a head's values, 128 each
}

@group(0) @binding(0) var<storage, read> tokens: array<vec2u>;
@group(0) @binding(1) var<storage, read> tiles: array<vec2u>;
@group(0) @binding(2) var<storage, read> blocks: array<u32>;
@group(0) @binding(3) var<storage, read> queries: array<vec4f>;
@group(0) @binding(4) var<storage, read> keys: array<u32>;
@group(0) @binding(5) var<storage, read> values: array<u32>;
@group(0) @binding(6) var<storage, read_write> chunkValues: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> chunkStats: array<vec4f>;
@group(0) @binding(8) var<uniform> uniforms: Parameters;
var<immediate> immediates: Parameters;

var<workgroup> weights: array<vec4f, chunk>; // scores, then what they weigh
var<workgroup> largests: array<vec4f, units * firsts>;
var<workgroup> groupLargest: array<vec4f, units>;
var<workgroup> groupWeight: array<vec4f, units>;
var<workgroup> groupEven: array<vec4f, chunk>;
var<workgroup> groupOdd: array<vec4f, chunk>;

// What a group of threads works on.
struct Task {
  token: u32, // row of the step
  position: u32, // of that token
  table: u32, // where its blocks begin
  quad: u32,
  kvHead: u32,
  group: u32,
  thread: u32, // within the group
  pair: u32, // of dimensions
}

// Sums over some positions; over none, unseen and zeros, which change nothing they are merged with.
struct Sums {
  largest: vec4f,
  weight: vec4f,
  even: vec4f,
  odd: vec4f,
}

fn merged(a: Sums, b: Sums) -> Sums {
  let largest = max(a.largest, b.largest);
  let ours = exp(a.largest - largest);
  let theirs = exp(b.largest - largest);
  return Sums(
    largest,
    fma(a.weight, ours, b.weight * theirs),
    fma(a.even, ours, b.even * theirs),
    fma(a.odd, ours, b.odd * theirs),
  );
}

fn unpacked(pair: u32) -> vec2f {
  return vec2f(bitcast<f32>(pair << 16u), bitcast<f32>(pair & 0xffff0000u));
}

fn blockOf(task: Task, position: u32, parameters: Parameters) -> u32 {
  return blocks[task.table + position / parameters.blockSize] * parameters.kvHeads + task.kvHead;
}

fn score(task: Task, position: u32, parameters: Parameters) -> vec4f {
  let size = parameters.blockSize;
  let headDim = parameters.headDim;
  let row = blockOf(task, position, parameters) * headDim;
  let slot = position % size;
  let numQuads = parameters.kvHeads * parameters.quadsPerKvHead;
  let query = (task.token * numQuads + task.quad) * headDim;
  var sum = vec4f();
  for (var d = 0u; d < headDim; d += 2u) {
    var key: vec2f;
    if (CACHE_BF16) {
      key = unpacked(keys[(row + d) / 2u * size + slot]);
    } else {
      key.x = bitcast<f32>(keys[(row + d) * size + slot]);
      key.y = bitcast<f32>(keys[(row + d + 1u) * size + slot]);
    }
    sum = fma(queries[query + d], vec4f(key.x), sum);
    sum = fma(queries[query + d + 1u], vec4f(key.y), sum);
  }
  return sum;
}

fn valuePair(task: Task, position: u32, parameters: Parameters) -> vec2f {
  let size = parameters.blockSize;
  let row = blockOf(task, position, parameters) * size + position % size;
  let at = row * parameters.headDim + 2u * task.pair;
  if (CACHE_BF16) {
    return unpacked(values[at / 2u]);
  }
  return vec2f(bitcast<f32>(values[at]), bitcast<f32>(values[at + 1u]));
}

// The largest of the group's 64 scores.
fn findLargest(task: Task) -> vec4f {
  let group = task.group;
  if (task.thread < firsts) {
    var found = vec4f(unseen);
    for (var i = 0u; i < unit / firsts; i++) {
      found = max(found, weights[group * unit + task.thread * (unit / firsts) + i]);
    }
    largests[group * firsts + task.thread] = found;
  }
  workgroupBarrier();
  var largest = vec4f(unseen);
  for (var i = 0u; i < firsts; i++) {
    largest = max(largest, largests[group * firsts + i]);
  }
  return largest;
}

// Over the 64 positions from `start` on, as far as the token sees them.
fn sumUnit(task: Task, start: u32, parameters: Parameters) -> Sums {
  let oldest = select(0u, task.position + 1u - parameters.window, task.position >= parameters.window);
  let first = max(start, oldest);
  let end = min(start + unit, task.position + 1u);
  let position = start + task.thread;
  let isSeen = position >= first && position < end;
  var own = vec4f(unseen);
  if (isSeen) {
    own = score(task, position, parameters);
  }
  weights[task.group * unit + task.thread] = own;
  workgroupBarrier();
  var sums = Sums(findLargest(task), vec4f(), vec4f(), vec4f());
  weights[task.group * unit + task.thread] = select(vec4f(), exp(own - sums.largest), isSeen);
  workgroupBarrier();
  if (2u * task.pair < parameters.headDim) {
    for (var p = first; p < end; p++) {
      let weight = weights[task.group * unit + p - start];
      let value = valuePair(task, p, parameters);
      sums.weight += weight;
      sums.even = fma(weight, vec4f(value.x), sums.even);
      sums.odd = fma(weight, vec4f(value.y), sums.odd);
    }
  }
  workgroupBarrier();
  return sums;
}

// The groups' sums, each over a unit, in the units' order; of use to the first group alone.
fn mergeGroups(task: Task, own: Sums) -> Sums {
  let lane = task.group * unit + task.thread;
  if (task.thread == 0u) {
    groupLargest[task.group] = own.largest;
    groupWeight[task.group] = own.weight;
  }
  groupEven[lane] = own.even;
  groupOdd[lane] = own.odd;
  workgroupBarrier();
  var sums = own;
  for (var group = 1u; group < units; group++) {
    let at = group * unit + task.thread;
    let next = Sums(groupLargest[group], groupWeight[group], groupEven[at], groupOdd[at]);
    sums = merged(sums, next);
  }
  return sums;
}

fn store(task: Task, chunkIndex: u32, sums: Sums, parameters: Parameters) {
  let numQuads = parameters.kvHeads * parameters.quadsPerKvHead;
  let out = (task.token * parameters.numChunks + chunkIndex) * numQuads + task.quad;
  if (2u * task.pair < parameters.headDim) {
    chunkValues[out * parameters.headDim + 2u * task.pair] = sums.even;
    chunkValues[out * parameters.headDim + 2u * task.pair + 1u] = sums.odd;
  }
  if (task.pair == 0u) {
    chunkStats[2u * out] = sums.largest;
    chunkStats[2u * out + 1u] = sums.weight;
  }
}

fn run(place: vec3u, lane: u32, parameters: Parameters) {
  var task: Task;
  task.token = tiles[parameters.firstTile + place.z].x;
  task.position = tokens[task.token].x;
  task.table = tokens[task.token].y;
  let start = (parameters.firstChunk + place.x) * chunk;
  let window = parameters.window;
  let isBehind = task.position >= window && start + chunk <= task.position + 1u - window;
  if (start > task.position || isBehind) {
    return;
  }
  task.group = lane / unit;
  task.thread = lane % unit;
  task.quad = place.y / parameters.valueSlices;
  task.kvHead = task.quad / parameters.quadsPerKvHead;
  task.pair = place.y % parameters.valueSlices * unit + task.thread;
  let sums = mergeGroups(task, sumUnit(task, start + task.group * unit, parameters));
  if (task.group == 0u) {
    store(task, place.x, sums, parameters);
  }
}

@compute @workgroup_size(chunk)
fn fromImmediates(
  @builtin(workgroup_id) place: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  run(place, lane, immediates);
}

@compute @workgroup_size(chunk)
fn fromUniform(@builtin(workgroup_id) place: vec3u, @builtin(local_invocation_index) lane: u32) {
  run(place, lane, uniforms);
}

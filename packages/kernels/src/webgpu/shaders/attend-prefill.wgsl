// Attention of up to 16 tokens of a prompt, neighbours of one sequence, over one chunk of 256
// positions: for each token what attend-chunks.wgsl makes of it alone, to the bit. Keys and values
// are read once for all of them.
//
// Quads, queries, keys, values, tokens, blocks, chunkValues, chunkStats: as attend-chunks.wgsl has
// them. tiles of (first token, tokens).
//
// One workgroup per (chunk, quad of a token, tile), as four groups of 64 threads; a group has four
// tokens, and a thread one position for its scores, then one pair of dimensions for its sums. It
// goes through the chunk's four units of 64 positions, each with a largest score of its own, and
// merges them in rising order. A row's operations are those of decode: scores over rising d, sums
// over rising p, merges in rising order.
// Source: Dao, FlashAttention-2, 2023; grouping of heads as in Ainslie et al., GQA, 2023.
requires immediate_address_space;

override CACHE_BF16: bool;

const chunk = 256u;
const unit = 64u;
const units = 4u;
const members = 4u; // tokens of a group
const rows = 16u; // tokens of a workgroup
const half = 32u; // positions whose weights are in workgroup memory at once
const firsts = 8u; // threads that look for a token's largest score
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

var<workgroup> weights: array<vec4f, rows * half>; // scores, then what they weigh
var<workgroup> firstLargests: array<vec4f, rows * firsts>;
var<workgroup> largests: array<vec4f, units * rows>;

// What a thread works on.
struct Task {
  tile: vec2u, // first token's row of the step, tokens
  position: u32, // of the first token
  table: u32, // where the sequence's blocks begin
  quad: u32,
  kvHead: u32,
  firstMember: u32, // of the thread's group, among the tile's tokens
  thread: u32, // within the group
  pair: u32, // of dimensions
}

// Sums of a group's tokens over some positions; the weight is that of token thread % 4.
struct Sums {
  weight: vec4f,
  even: array<vec4f, members>,
  odd: array<vec4f, members>,
}

fn unpacked(pair: u32) -> vec2f {
  return vec2f(bitcast<f32>(pair << 16u), bitcast<f32>(pair & 0xffff0000u));
}

fn blockOf(task: Task, position: u32, parameters: Parameters) -> u32 {
  return blocks[task.table + position / parameters.blockSize] * parameters.kvHeads + task.kvHead;
}

// The positions of the unit from `start` on that a member of the group sees: from, and up to.
fn seen(task: Task, member: u32, start: u32, window: u32) -> vec2u {
  let index = task.firstMember + member;
  if (index >= task.tile.y) {
    return vec2u(start); // the tile has fewer tokens
  }
  let position = task.position + index;
  let oldest = select(0u, position + 1u - window, position >= window);
  return vec2u(max(start, oldest), min(start + unit, position + 1u));
}

// The positions that some member of the group sees.
fn seenByGroup(task: Task, start: u32, window: u32) -> vec2u {
  var range = seen(task, 0u, start, window);
  for (var m = 1u; m < members; m++) {
    range.y = max(range.y, seen(task, m, start, window).y);
  }
  return range;
}

fn scores(task: Task, position: u32, parameters: Parameters) -> array<vec4f, members> {
  let size = parameters.blockSize;
  let headDim = parameters.headDim;
  let numQuads = parameters.kvHeads * parameters.quadsPerKvHead;
  let row = blockOf(task, position, parameters) * headDim;
  let slot = position % size;
  var query = array<u32, members>();
  for (var m = 0u; m < members; m++) {
    let token = task.tile.x + min(task.firstMember + m, task.tile.y - 1u);
    query[m] = (token * numQuads + task.quad) * headDim;
  }
  var sums = array<vec4f, members>();
  for (var d = 0u; d < headDim; d += 2u) {
    var key: vec2f;
    if (CACHE_BF16) {
      key = unpacked(keys[(row + d) / 2u * size + slot]);
    } else {
      key.x = bitcast<f32>(keys[(row + d) * size + slot]);
      key.y = bitcast<f32>(keys[(row + d + 1u) * size + slot]);
    }
    for (var m = 0u; m < members; m++) {
      sums[m] = fma(queries[query[m] + d], vec4f(key.x), sums[m]);
      sums[m] = fma(queries[query[m] + d + 1u], vec4f(key.y), sums[m]);
    }
  }
  return sums;
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

// Puts the largest score of each of the group's tokens into largests, from `at` on.
fn findLargests(task: Task, own: array<vec4f, members>, at: u32) {
  let thread = task.thread;
  let place = task.firstMember * half + thread % half;
  if (thread >= half) {
    for (var m = 0u; m < members; m++) {
      weights[place + m * half] = own[m];
    }
  }
  workgroupBarrier();
  if (thread < half) {
    for (var m = 0u; m < members; m++) {
      weights[place + m * half] = max(weights[place + m * half], own[m]);
    }
  }
  workgroupBarrier();
  let row = task.firstMember + thread / firsts;
  if (thread < members * firsts) {
    var found = vec4f(unseen);
    for (var i = thread % firsts; i < half; i += firsts) {
      found = max(found, weights[row * half + i]);
    }
    firstLargests[row * firsts + thread % firsts] = found;
  }
  workgroupBarrier();
  if (thread < members) {
    var found = vec4f(unseen);
    for (var i = 0u; i < firsts; i++) {
      found = max(found, firstLargests[(task.firstMember + thread) * firsts + i]);
    }
    largests[at + task.firstMember + thread] = found;
  }
  workgroupBarrier();
}

// Over the unit of 64 positions from `start` on, as far as each token sees them.
fn sumUnit(task: Task, start: u32, at: u32, parameters: Parameters) -> Sums {
  let window = parameters.window;
  let range = seenByGroup(task, start, window);
  let position = start + task.thread;
  var own = array<vec4f, members>();
  if (position >= range.x && position < range.y) {
    own = scores(task, position, parameters);
  }
  for (var m = 0u; m < members; m++) {
    let sees = seen(task, m, start, window);
    own[m] = select(vec4f(unseen), own[m], position >= sees.x && position < sees.y);
  }
  findLargests(task, own, at);
  for (var m = 0u; m < members; m++) {
    let sees = seen(task, m, start, window);
    let weight = exp(own[m] - largests[at + task.firstMember + m]);
    own[m] = select(vec4f(), weight, position >= sees.x && position < sees.y);
  }
  var sums = Sums();
  for (var part = 0u; part < unit; part += half) {
    if (task.thread / half == part / half) {
      for (var m = 0u; m < members; m++) {
        weights[(task.firstMember + m) * half + task.thread % half] = own[m];
      }
    }
    workgroupBarrier();
    let end = min(range.y, start + part + half);
    for (var p = max(range.x, start + part); p < end; p++) {
      let place = task.firstMember * half + p % half;
      sums.weight += weights[place + task.thread % members * half];
      if (2u * task.pair < parameters.headDim) {
        let value = valuePair(task, p, parameters);
        for (var m = 0u; m < members; m++) {
          // A value that a token does not see may be no number.
          let sees = seen(task, m, start, window);
          if (p >= sees.x && p < sees.y) {
            let weight = weights[place + m * half];
            sums.even[m] = fma(weight, vec4f(value.x), sums.even[m]);
            sums.odd[m] = fma(weight, vec4f(value.y), sums.odd[m]);
          }
        }
      }
    }
    workgroupBarrier();
  }
  return sums;
}

// The largest score of a member in the units before `at`.
fn largestBefore(task: Task, member: u32, at: u32) -> vec4f {
  var largest = vec4f(unseen);
  for (var before = 0u; before < at; before += rows) {
    largest = max(largest, largests[before + task.firstMember + member]);
  }
  return largest;
}

// Of the units before `at` and of the one whose largests are there.
fn merged(task: Task, a: Sums, b: Sums, at: u32) -> Sums {
  var sums = Sums();
  for (var m = 0u; m < members; m++) {
    let before = largestBefore(task, m, at);
    let next = largests[at + task.firstMember + m];
    let ours = exp(before - max(before, next));
    let theirs = exp(next - max(before, next));
    sums.even[m] = fma(a.even[m], ours, b.even[m] * theirs);
    sums.odd[m] = fma(a.odd[m], ours, b.odd[m] * theirs);
    if (m == task.thread % members) {
      sums.weight = fma(a.weight, ours, b.weight * theirs);
    }
  }
  return sums;
}

fn store(task: Task, chunkIndex: u32, sums: Sums, end: u32, parameters: Parameters) {
  let numQuads = parameters.kvHeads * parameters.quadsPerKvHead;
  let headDim = parameters.headDim;
  for (var m = 0u; m < members; m++) {
    if (task.firstMember + m < task.tile.y) {
      let token = task.tile.x + task.firstMember + m;
      let out = (token * parameters.numChunks + chunkIndex) * numQuads + task.quad;
      if (2u * task.pair < headDim) {
        chunkValues[out * headDim + 2u * task.pair] = sums.even[m];
        chunkValues[out * headDim + 2u * task.pair + 1u] = sums.odd[m];
      }
      if (task.pair == m) {
        chunkStats[2u * out] = largestBefore(task, m, end);
        chunkStats[2u * out + 1u] = sums.weight;
      }
    }
  }
}

fn run(place: vec3u, lane: u32, parameters: Parameters) {
  var task: Task;
  task.tile = tiles[parameters.firstTile + place.z];
  let first = tokens[task.tile.x];
  task.position = first.x;
  task.table = first.y;
  let start = (parameters.firstChunk + place.x) * chunk;
  let end = min(start + chunk, first.x + task.tile.y);
  let isBehind = first.x >= parameters.window && start + chunk <= first.x + 1u - parameters.window;
  if (start >= end || isBehind) {
    return;
  }
  task.quad = place.y / parameters.valueSlices;
  task.kvHead = task.quad / parameters.quadsPerKvHead;
  task.firstMember = lane / unit * members;
  task.thread = lane % unit;
  task.pair = place.y % parameters.valueSlices * unit + task.thread;
  var sums = Sums();
  var at = 0u;
  for (var next = start; next < end; next += unit) {
    sums = merged(task, sums, sumUnit(task, next, at, parameters), at);
    at += rows;
  }
  store(task, place.x, sums, at, parameters);
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

// Which experts a token goes to: logits = gate × x, the perToken largest of them by falling logit,
// ties to the lower id, and their softmax, over those alone, in f32.
//
// normed [T, width] f32. gate [experts, width] f32. faults [T]: not 0 if the row is known to be bad.
// routing [T, 2 perToken + 1] of words: expert ids, combine weights (f32), and 1 if a logit or the
// row holds NaN or infinity, told by its bits.
//
// One workgroup per token, an eighth of it to an expert. A logit: each thread over its share of the
// elements, one here and one there, then over the threads by a binary tree of neighbours. Source:
// transformers, modeling_mixtral.py, MixtralSparseMoeBlock; the softmax of the chosen is
// mistral-inference's.
// Lanes are numbered so that a subgroup's follow each other. Subgroups of any power of two.
// The variant of gate.wgsl for devices with subgroups: the same bits with one barrier, and where a
// subgroup has fewer lanes than an expert one for every eight of them, in place of two for those.
enable subgroups;
requires immediate_address_space;
requires subgroup_id;

override LANES: u32; // 64 or 256

override expertLanes: u32 = LANES / 8u;
const expertsAtOnce = 8u;
const expertsMax = 64u;
const perTokenMax = 8u;

struct Parameters {
  width: u32,
  experts: u32, // at most 64
  perToken: u32, // at most 8
}

@group(0) @binding(0) var<storage, read> normed: array<f32>;
@group(0) @binding(1) var<storage, read> gate: array<f32>;
@group(0) @binding(2) var<storage, read> faults: array<u32>;
@group(0) @binding(3) var<storage, read_write> routing: array<u32>;
@group(0) @binding(4) var<uniform> uniforms: Parameters;
var<immediate> immediates: Parameters;

var<workgroup> parts: array<f32, 2 * LANES>;
var<workgroup> logits: array<f32, expertsMax>;

fn isFinite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

// Σ of what the lanes of an expert have left, each subgroup's in its first lane's place.
fn treeSum(first: u32, subgroupSize: u32) -> f32 {
  for (var step = subgroupSize; step < expertLanes; step *= 2u) {
    for (var i = first; i < first + expertLanes; i += 2u * step) {
      parts[i] += parts[i + step];
    }
  }
  return parts[first];
}

fn computeLogits(token: u32, lane: u32, subgroupSize: u32, parameters: Parameters) {
  let width = parameters.width;
  let experts = parameters.experts;
  let isFirst = lane % expertLanes == 0u;
  for (var first = 0u; first < experts; first += expertsAtOnce) {
    let expert = first + lane / expertLanes;
    var sum = 0.0;
    if (expert < experts) {
      for (var h = lane % expertLanes; h < width; h += expertLanes) {
        sum = fma(normed[token * width + h], gate[expert * width + h], sum);
      }
    }
    for (var step = 1u; step < min(subgroupSize, expertLanes); step *= 2u) {
      sum += subgroupShuffleXor(sum, step);
    }
    if (subgroupSize < expertLanes) {
      // The halves in turn: nobody writes where others may still read.
      let half = first / expertsAtOnce % 2u * LANES;
      parts[half + lane] = sum;
      workgroupBarrier();
      if (isFirst) {
        sum = treeSum(half + lane, subgroupSize);
      }
    }
    if (isFirst && expert < experts) {
      logits[expert] = sum;
    }
  }
  workgroupBarrier();
}

// By one thread: what it chooses from is 64 numbers at most.
fn choose(token: u32, parameters: Parameters) {
  let experts = parameters.experts;
  let perToken = parameters.perToken;
  var fault = faults[token];
  for (var expert = 0u; expert < experts; expert++) {
    if (!isFinite(logits[expert])) {
      fault = 1u;
    }
  }
  let at = token * (2u * perToken + 1u);
  var largest = 0.0;
  var last = 0u; // chosen, after the first round
  var weights = array<f32, perTokenMax>();
  var sum = 0.0;
  for (var k = 0u; k < perToken; k++) {
    var best = expertsMax;
    for (var expert = 0u; expert < experts; expert++) {
      let logit = logits[expert];
      let isTie = logit == logits[last] && expert > last;
      let isLeft = k == 0u || logit < logits[last] || isTie;
      if (isLeft && (best == expertsMax || logit > logits[best])) {
        best = expert;
      }
    }
    last = min(best, experts - 1u); // without NaN there is always one left
    if (k == 0u) {
      largest = logits[last];
    }
    weights[k] = exp(logits[last] - largest);
    sum += weights[k];
    routing[at + k] = last;
  }
  for (var k = 0u; k < perToken; k++) {
    routing[at + perToken + k] = bitcast<u32>(weights[k] / sum);
  }
  routing[at + 2u * perToken] = fault;
}

fn run(token: u32, lane: u32, subgroupSize: u32, parameters: Parameters) {
  computeLogits(token, lane, subgroupSize, parameters);
  if (lane == 0u) {
    choose(token, parameters);
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

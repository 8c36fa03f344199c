// The largest of a row, falling, ties to the lower id: one slice of it per workgroup. Run over the
// logits it leaves each slice's largest, run over those in one slice it leaves the row's.
//
// candidates [n, stride] of logits, or with IDS of (id, logit). chosen [n, slices, numChosen]
// of (id, logit); a slice that holds fewer is filled up with (0xffffffff, -). faults [n]: set to 1 if
// a candidate is NaN or infinity, told by its bits; else left.
//
// One workgroup per (slice, row), slice candidates each. It takes what is largest of all that come
// after the last one taken, numChosen times: each thread over its own, then over a tree. That order
// is of (logit, id) and no sums are made, so the result is exact.
requires immediate_address_space;

override IDS: bool;

const lanes = 256u;
const nobody = 0xffffffffu;

struct Parameters {
  numCandidates: u32,
  stride: u32, // candidates from one row to the next
  numChosen: u32,
  slice: u32, // candidates of a workgroup
}

@group(0) @binding(0) var<storage, read> candidates: array<u32>;
@group(0) @binding(1) var<storage, read_write> chosen: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> faults: array<u32>;
@group(0) @binding(3) var<uniform> uniforms: Parameters;
var<immediate> immediates: Parameters;

// (how large, as an unsigned number that rises with the logit; id), best of each thread.
var<workgroup> best: array<vec2u, lanes>;

// Rises as the logit does, from 1 up; 0 stands for none. Both zeros are one.
fn rankOf(bits: u32) -> u32 {
  if (bits == 0x80000000u) {
    return 0x80000000u;
  }
  return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}

fn isBefore(a: vec2u, b: vec2u) -> bool {
  return a.x > b.x || (a.x == b.x && a.y < b.y);
}

fn candidate(index: u32) -> vec2u {
  if (IDS) {
    return vec2u(candidates[2u * index], candidates[2u * index + 1u]);
  }
  return vec2u(nobody, candidates[index]);
}

fn run(group: vec2u, slices: u32, lane: u32, parameters: Parameters) {
  let row = group.y * parameters.stride;
  let first = group.x * parameters.slice;
  let end = min(first + parameters.slice, parameters.numCandidates);
  let out = (group.y * slices + group.x) * parameters.numChosen;
  var last = vec2u(nobody, 0u); // before all
  for (var k = 0u; k < parameters.numChosen; k++) {
    var mine = vec2u(0u, nobody);
    for (var i = first + lane; i < end; i += lanes) {
      let found = candidate(row + i);
      if (IDS && found.x == nobody) {
        continue;
      }
      if ((found.y & 0x7f800000u) == 0x7f800000u) {
        faults[group.y] = 1u;
      }
      let ranked = vec2u(rankOf(found.y), select(i, found.x, IDS));
      let isLeft = k == 0u || isBefore(last, ranked);
      if (isLeft && isBefore(ranked, mine)) {
        mine = ranked;
      }
    }
    best[lane] = mine;
    workgroupBarrier();
    for (var half = lanes / 2u; half > 0u; half /= 2u) {
      if (lane < half && isBefore(best[lane + half], best[lane])) {
        best[lane] = best[lane + half];
      }
      workgroupBarrier();
    }
    last = best[0];
    workgroupBarrier();
    if (lane == 0u) {
      let isNegative = last.x < 0x80000000u;
      let bits = select(last.x & 0x7fffffffu, ~last.x, isNegative);
      chosen[out + k] = vec2u(last.y, bits);
    }
  }
}

@compute @workgroup_size(lanes)
fn fromImmediates(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  run(group.xy, groups.x, lane, immediates);
}

@compute @workgroup_size(lanes)
fn fromUniform(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  run(group.xy, groups.x, lane, uniforms);
}

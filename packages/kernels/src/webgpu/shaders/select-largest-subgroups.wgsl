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
// The variant of select-largest.wgsl for devices with subgroups of any power of two: where those have
// 16 lanes or more, one barrier for one taken, in place of ten. Lanes are numbered so that a
// subgroup's follow each other.
enable subgroups;
requires immediate_address_space;
requires subgroup_id;

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

// The best that a lane of the workgroup has, by a tree whose steps are within subgroups. firstFree:
// where the array is free, for a half of it.
fn bestOfAll(mine: vec2u, lane: u32, subgroupSize: u32, firstFree: u32) -> vec2u {
  var ours = mine;
  var count = lanes; // of which every lane holds one
  var free = firstFree;
  loop {
    for (var step = 1u; step < min(subgroupSize, count); step *= 2u) {
      let theirs = subgroupShuffleXor(ours, step);
      if (isBefore(theirs, ours)) {
        ours = theirs;
      }
    }
    if (count <= subgroupSize) {
      break;
    }
    count /= subgroupSize;
    if (lane % subgroupSize == 0u && lane < count * subgroupSize) {
      best[free + lane / subgroupSize] = ours;
    }
    workgroupBarrier();
    ours = best[free + lane % count];
    free += count;
  }
  return ours;
}

fn run(group: vec2u, slices: u32, lane: u32, subgroupSize: u32, parameters: Parameters) {
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
    // The halves in turn: nobody writes where others may still read.
    last = bestOfAll(mine, lane, subgroupSize, k % 2u * (lanes / 2u));
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
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) invocation: u32,
  @builtin(subgroup_size) subgroupSize: u32,
) {
  let lane = subgroup * subgroupSize + invocation;
  run(group.xy, groups.x, lane, subgroupSize, immediates);
}

@compute @workgroup_size(lanes)
fn fromUniform(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) invocation: u32,
  @builtin(subgroup_size) subgroupSize: u32,
) {
  let lane = subgroup * subgroupSize + invocation;
  run(group.xy, groups.x, lane, subgroupSize, uniforms);
}

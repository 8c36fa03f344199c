// Shows how a device's subgroups divide a workgroup: seen[w, thread] = (lane, subgroup size, the lane
// one step away, the lane half a subgroup away), where lanes number the threads subgroup by subgroup.
//
// Variants of kernels suppose that lanes are 0 .. 255, that a subgroup's follow each other, and that
// exclusive or finds the lane that is so many steps away. One workgroup per w, a thread per lane.
enable subgroups;
requires subgroup_id;

@group(0) @binding(0) var<storage, read_write> seen: array<vec4u>;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) invocation: u32,
  @builtin(subgroup_size) subgroupSize: u32,
) {
  let lane = subgroup * subgroupSize + invocation;
  let near = subgroupShuffleXor(lane, 1u);
  let far = subgroupShuffleXor(lane, subgroupSize / 2u);
  seen[group.x * 256u + thread] = vec4u(lane, subgroupSize, near, far);
}

// values[i] = 2 values[i] + 1
// values: [64] u32, overwritten. One workgroup of 64 threads, one element each.
// The smallest shader that shows whether a driver can compile and run one at all.
@group(0) @binding(0) var<storage, read_write> values: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) i: u32) {
  if (i < arrayLength(&values)) {
    values[i] = 2u * values[i] + 1u;
  }
}

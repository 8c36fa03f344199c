// products[t, n] = sum over k of bytes[t, k] × bytes[tileM + n, k]: one product of small matrices of
// signed bytes, as multiply-panels-matrix.wgsl makes them, to see whether a device makes them right.
//
// bytes: rows of tileK signed bytes, tileM of them and then tileN. products: i32. One subgroup of the
// one workgroup does it all.
enable chromium_experimental_subgroup_matrix;
enable subgroups;
requires subgroup_id;

@group(0) @binding(0) var<storage, read> bytes: array<u32>;
@group(0) @binding(1) var<storage, read_write> products: array<i32>;

const tileM = 8u;
const tileN = 8u;
const tileK = 8u;

var<workgroup> left: array<u32, tileM * tileK / 4>;
var<workgroup> right: array<u32, tileN * tileK / 4>;
var<workgroup> made: array<i32, tileM * tileN>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) thread: u32, @builtin(subgroup_id) subgroup: u32) {
  let words = tileK / 4;
  for (var i = thread; i < tileM * words; i += 256) {
    left[i] = bytes[i];
  }
  for (var i = thread; i < tileN * words; i += 256) {
    right[i] = bytes[tileM * words + i];
  }
  workgroupBarrier();
  if (subgroup == 0) {
    let a = subgroupMatrixLoad<subgroup_matrix_left<i8, tileK, tileM>, row_major>(&left, 0, words);
    let b = subgroupMatrixLoad<subgroup_matrix_right<i8, tileN, tileK>, col_major>(
      &right, 0, words);
    let sum = subgroupMatrixMultiplyAccumulate(a, b, subgroup_matrix_result<i32, tileN, tileM>());
    subgroupMatrixStore<row_major>(&made, 0, sum, tileN);
  }
  workgroupBarrier();
  for (var i = thread; i < tileM * tileN; i += 256) {
    products[i] = made[i];
  }
}

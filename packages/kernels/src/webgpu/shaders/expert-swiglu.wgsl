// hidden[t, i] = silu(a[t, i]) × b[t, i], in the dtype that w2's kernel takes.
//
// a = w1 x and b = w3 x: [T, I filled up to whole blocks] f32. hidden: rows of q8 activations, or
// bf16, or f32, of the same width. What is computed is as in expert-up-*.wgsl, to the bit.
// A thread takes one block of 32. Grid: I / 32 / 64, rounded up, rows t.
requires immediate_address_space;

struct Parameters {
  numRows: u32,
  hiddenBlocks: u32, // I / 32
}

var<immediate> immediates: Parameters;
@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> hidden: array<u32>;
@group(0) @binding(3) var<uniform> uniforms: Parameters;

override BITS: u32 = 8; // of an element of hidden: 8 (q8), 16 (bf16) or 32 (f32)

fn bf16Bits(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) {
    return (bits >> 16) | 0x40; // NaN stays one
  }
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

// As in expert-up-*.wgsl, four at a time.
fn exponential(x: vec4<f32>) -> vec4<f32> {
  let bounded = clamp(x, vec4<f32>(-87.3), vec4<f32>(88.3));
  let n = round(bounded * 1.44269504);
  let r = fma(n, vec4<f32>(-1.42860677e-6), fma(n, vec4<f32>(-0.693145752), bounded));
  var p = fma(vec4<f32>(1.98412698e-4), r, vec4<f32>(1.38888889e-3));
  p = fma(p, r, vec4<f32>(8.33333333e-3));
  p = fma(p, r, vec4<f32>(4.16666667e-2));
  p = fma(p, r, vec4<f32>(1.66666667e-1));
  p = fma(p, r, vec4<f32>(0.5));
  p = fma(p, r, vec4<f32>(1.0));
  p = fma(p, r, vec4<f32>(1.0));
  return p * bitcast<vec4<f32>>(vec4<u32>(vec4<i32>(n) + 127) << vec4<u32>(23));
}

fn gated(at: u32) -> vec4<f32> {
  return a[at] / (1.0 + exponential(-a[at])) * b[at];
}

fn packBlock(start: u32, rowAt: u32, block: u32, hiddenBlocks: u32) {
  var values = array<vec4<f32>, 8>();
  var tops = vec4<u32>(0); // bits of magnitudes rise with them; NaN's are above infinity's
  for (var c = 0u; c < 8; c++) {
    values[c] = gated(start + c);
    tops = max(tops, bitcast<vec4<u32>>(values[c]) & vec4<u32>(0x7fffffff));
  }
  let top = max(max(tops.x, tops.y), max(tops.z, tops.w));
  let isFinite = top < 0x7f800000;
  let isScalable = isFinite && top > 0x02fe0000; // else 127 / amax overflows
  let amax = bitcast<f32>(top);
  for (var c = 0u; c < 8; c++) {
    var word = 0u;
    if (isScalable) {
      let quants = vec4<i32>(round(values[c] * (127.0 / amax)));
      let bytes = (bitcast<vec4<u32>>(quants) & vec4<u32>(0xff)) << vec4<u32>(0, 8, 16, 24);
      word = bytes.x | bytes.y | bytes.z | bytes.w;
    }
    hidden[rowAt + block * 8 + c] = word;
  }
  let scale = select(0u, bitcast<u32>(amax / 127.0), isScalable);
  hidden[rowAt + hiddenBlocks * 8 + block] = select(0x7fc00000u, scale, isFinite);
}

fn run(parameters: Parameters, workgroup: vec3<u32>, thread: u32) {
  let block = workgroup.x * 64 + thread;
  let row = workgroup.y;
  if (block >= parameters.hiddenBlocks) {
    return;
  }
  let start = (row * parameters.hiddenBlocks + block) * 8;
  if (BITS == 8) {
    packBlock(start, row * 9 * parameters.hiddenBlocks, block, parameters.hiddenBlocks);
    return;
  }
  for (var c = 0u; c < 8; c++) {
    let value = gated(start + c);
    if (BITS == 16) {
      hidden[(start + c) * 2] = bf16Bits(value.x) | (bf16Bits(value.y) << 16);
      hidden[(start + c) * 2 + 1] = bf16Bits(value.z) | (bf16Bits(value.w) << 16);
    } else {
      for (var i = 0u; i < 4; i++) {
        hidden[(start + c) * 4 + i] = bitcast<u32>(value[i]);
      }
    }
  }
}

@compute @workgroup_size(64)
fn fromImmediates(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  run(immediates, workgroup, thread);
}

@compute @workgroup_size(64)
fn fromUniform(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  run(uniforms, workgroup, thread);
}

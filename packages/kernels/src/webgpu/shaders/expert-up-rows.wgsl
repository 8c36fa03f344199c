// hidden[t, i] = silu(w1 x)[t, i] × (w3 x)[t, i], for a few rows t of an expert of f32, f16 or
// bf16.
//
// x: [T, K], w1, w3: [I, K], hidden: [T, I filled up to whole blocks], all f32 or all bf16, or f32 but
// for weights of f16, in the forms of multiply-rows-few.wgsl; hidden is rounded to bf16 where x is.
// A workgroup computes 32 columns of hidden for ROWS rows t: 32 lanes by 8 row quads, first over
// w1, then over w3. The sums are those of multiply-rows-few.wgsl, to the bit.
// Grid: I / 32, rounded up, rows t / ROWS.
// Source: fused gate and up projections as in ONNX Runtime's QMoE.
requires immediate_address_space;

struct Parameters {
  numRows: u32,
  xFirstRow: u32,
  blocks: u32, // K / 32
  hiddenBlocks: u32, // I / 32
  panels: u32, // rows of w1 and of w3 / 16
}

var<immediate> immediates: Parameters;
@group(0) @binding(0) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> weights1: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> weights3: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> hidden: array<u32>;
@group(0) @binding(4) var<uniform> uniforms: Parameters;

override BITS: u32 = 32; // of a weight: 32 or 16
override HALF: bool = false; // weights are f16, x and hidden f32; else those are as weights are
override ROWS: u32 = 1; // 1 .. 8

const lanes = 32u;

var<workgroup> partials: array<f32, 1024>; // [lane][32]: of one row t
var<workgroup> totals: array<f32, ROWS * 64>; // [matrix][row][32]

fn ofBf16(words: vec4<u32>) -> array<f32, 8> {
  let even = bitcast<vec4<f32>>(words << vec4<u32>(16));
  let odd = bitcast<vec4<f32>>(words & vec4<u32>(0xffff0000));
  return array<f32, 8>(even.x, odd.x, even.y, odd.y, even.z, odd.z, even.w, odd.w);
}

// Of bits of f16 numbers, subnormal ones included; weights are never infinite or NaN.
fn fromHalf(bits: vec4<u32>) -> vec4<f32> {
  let size = bits & vec4<u32>(0x7fff);
  let normal = (size << vec4<u32>(13)) + vec4<u32>(0x38000000);
  let tiny = bitcast<vec4<u32>>(vec4<f32>(size) * 5.9604644775390625e-8); // 2⁻²⁴
  let unsigned = select(normal, tiny, size < vec4<u32>(0x400));
  return bitcast<vec4<f32>>(unsigned | ((bits & vec4<u32>(0x8000)) << vec4<u32>(16)));
}

fn ofHalves(words: vec4<u32>) -> array<f32, 8> {
  let even = fromHalf(words & vec4<u32>(0xffff));
  let odd = fromHalf(words >> vec4<u32>(16));
  return array<f32, 8>(even.x, odd.x, even.y, odd.y, even.z, odd.z, even.w, odd.w);
}

fn plain(low: vec4<u32>, high: vec4<u32>) -> array<f32, 8> {
  let a = bitcast<vec4<f32>>(low);
  let b = bitcast<vec4<f32>>(high);
  return array<f32, 8>(a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w);
}

// 16 bytes of one matrix or the other.
fn loadWords(matrix: u32, at: u32) -> vec4<u32> {
  if (matrix == 0) {
    return weights1[at];
  }
  return weights3[at];
}

fn eightOfWeights(matrix: u32, at: u32) -> array<f32, 8> {
  if (BITS == 16) {
    let words = loadWords(matrix, at);
    if (HALF) {
      return ofHalves(words);
    }
    return ofBf16(words);
  }
  return plain(loadWords(matrix, 2 * at), loadWords(matrix, 2 * at + 1));
}

fn eightOfX(at: u32) -> array<f32, 8> {
  if (BITS == 16 && !HALF) {
    return ofBf16(x[at]);
  }
  return plain(x[2 * at], x[2 * at + 1]);
}

fn bf16Bits(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) {
    return (bits >> 16) | 0x40; // NaN stays one
  }
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

// e^x within 2 units in the last place for x in [-87.3, 88.3]; x beyond is taken as that bound.
// x = n ln 2 + r; e^r by its Taylor polynomial; 2^n by setting the exponent.
fn exponential(x: f32) -> f32 {
  let bounded = clamp(x, -87.3, 88.3);
  let n = round(bounded * 1.44269504);
  let r = fma(n, -1.42860677e-6, fma(n, -0.693145752, bounded));
  var p = fma(1.98412698e-4, r, 1.38888889e-3);
  p = fma(p, r, 8.33333333e-3);
  p = fma(p, r, 4.16666667e-2);
  p = fma(p, r, 1.66666667e-1);
  p = fma(p, r, 0.5);
  p = fma(p, r, 1.0);
  p = fma(p, r, 1.0);
  return p * bitcast<f32>(u32(i32(n) + 127) << 23);
}

fn silu(x: f32) -> f32 {
  return x / (1.0 + exponential(-x));
}

fn run(parameters: Parameters, workgroup: vec3<u32>, thread: u32) {
  let quad = thread % 4;
  let lane = thread / 4 % lanes;
  let column = thread / 128 * 16 + quad * 4; // the thread's first, of the workgroup's 32
  let first = workgroup.y * ROWS;
  // Where the second panel is missing the first is read again; its columns become zero below.
  let panel = min(workgroup.x * 2 + thread / 128, parameters.panels - 1);
  let n = panel * 16 + quad * 4;
  let rowPieces = parameters.blocks * 4;
  for (var matrix = 0u; matrix < 2; matrix++) {
    var sums = array<vec4<f32>, 8>();
    for (var block = lane; block < parameters.blocks; block += lanes) {
      var products = array<vec4<f32>, 8>();
      for (var piece = block * 4; piece < block * 4 + 4; piece++) {
        var a = eightOfWeights(matrix, n * rowPieces + piece);
        var b = eightOfWeights(matrix, (n + 1) * rowPieces + piece);
        var c = eightOfWeights(matrix, (n + 2) * rowPieces + piece);
        var d = eightOfWeights(matrix, (n + 3) * rowPieces + piece);
        for (var r = 0u; r < ROWS; r++) {
          let row = parameters.xFirstRow + min(first + r, parameters.numRows - 1);
          var ofX = eightOfX(row * rowPieces + piece);
          for (var i = 0u; i < 8; i++) {
            let four = vec4<f32>(a[i], b[i], c[i], d[i]);
            products[r] = fma(four, vec4<f32>(ofX[i]), products[r]);
          }
        }
      }
      for (var r = 0u; r < ROWS; r++) {
        sums[r] += products[r];
      }
    }
    for (var r = 0u; r < ROWS; r++) {
      for (var i = 0u; i < 4; i++) {
        partials[lane * 32 + column + i] = sums[r][i];
      }
      workgroupBarrier();
      if (thread < 32) {
        var total = 0.0;
        for (var g = 0u; g < lanes; g++) {
          total += partials[g * 32 + thread];
        }
        totals[(matrix * ROWS + r) * 32 + thread] = total;
      }
      workgroupBarrier();
    }
  }
  if (thread < ROWS * 32) {
    let value = silu(totals[thread]) * totals[ROWS * 32 + thread];
    let isThere = workgroup.x * 2 + thread % 32 / 16 < parameters.panels;
    totals[thread] = select(0.0, value, isThere);
  }
  workgroupBarrier();
  let r = thread / 32;
  let i = thread % 32;
  if (r < ROWS && first + r < parameters.numRows) {
    let at = (first + r) * parameters.hiddenBlocks * 32 + workgroup.x * 32 + i;
    if (BITS == 32 || HALF) {
      hidden[at] = bitcast<u32>(totals[thread]);
    } else if (i % 2 == 0) {
      hidden[at / 2] = bf16Bits(totals[thread]) | (bf16Bits(totals[thread + 1]) << 16);
    }
  }
}

@compute @workgroup_size(256)
fn fromImmediates(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  run(immediates, workgroup, thread);
}

@compute @workgroup_size(256)
fn fromUniform(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  run(uniforms, workgroup, thread);
}

// Multiplies and adds, and reads nothing: how many f32 fma can this device do?
//
// A thread has eight chains of four, none waiting for another: 32 fma a turn. The numbers come
// from parameters, so that no compiler knows what comes out. out is written only for a result that
// does not occur, without which the loop could be left out. Grid: any number of workgroups of 256.
// Source: the loops of clpeak.
requires immediate_address_space;

struct Parameters {
  turns: u32,
  factor: f32,
  summand: f32,
}

var<immediate> immediates: Parameters;
@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@group(0) @binding(1) var<uniform> uniforms: Parameters;

fn run(parameters: Parameters, index: u32) {
  let factor = vec4<f32>(parameters.factor);
  let summand = vec4<f32>(parameters.summand);
  var a = vec4<f32>(f32(index));
  var b = a + 1.0;
  var c = a + 2.0;
  var d = a + 3.0;
  var e = a + 4.0;
  var f = a + 5.0;
  var g = a + 6.0;
  var h = a + 7.0;
  for (var turn = 0u; turn < parameters.turns; turn++) {
    a = fma(a, factor, summand);
    b = fma(b, factor, summand);
    c = fma(c, factor, summand);
    d = fma(d, factor, summand);
    e = fma(e, factor, summand);
    f = fma(f, factor, summand);
    g = fma(g, factor, summand);
    h = fma(h, factor, summand);
  }
  let sum = a + b + c + d + e + f + g + h;
  let bits = bitcast<u32>(sum.x + sum.y + sum.z + sum.w);
  if (bits == 0x1e3779b9) {
    out[0] = bits;
  }
}

@compute @workgroup_size(256)
fn fromImmediates(@builtin(global_invocation_id) id: vec3<u32>) {
  run(immediates, id.x);
}

@compute @workgroup_size(256)
fn fromUniform(@builtin(global_invocation_id) id: vec3<u32>) {
  run(uniforms, id.x);
}

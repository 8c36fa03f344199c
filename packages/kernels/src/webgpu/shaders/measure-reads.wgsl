// Reads a whole buffer and does next to nothing with it: how fast can this device read?
//
// data: 16-byte pieces, four of them for each thread and turn. A workgroup of 256 threads walks
// the buffer together with all others, neighbours side by side. out is written only for a result
// that hardly occurs, without which the loop could be left out. Grid: any number of workgroups.
// Source: the read test of STREAM, without its arithmetic.
requires immediate_address_space;

struct Parameters {
  pieces: u32,
  threads: u32, // of all workgroups
}

var<immediate> immediates: Parameters;
@group(0) @binding(0) var<storage, read> data: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@group(0) @binding(2) var<uniform> uniforms: Parameters;

fn run(parameters: Parameters, index: u32) {
  let step = parameters.threads;
  var all = vec4<u32>(0);
  for (var at = index; at < parameters.pieces; at += 4 * step) {
    // Past the end the last piece is read again; the buffer is many times longer than that.
    let last = parameters.pieces - 1;
    let a = data[at];
    let b = data[min(at + step, last)];
    let c = data[min(at + 2 * step, last)];
    let d = data[min(at + 3 * step, last)];
    all ^= a ^ b ^ c ^ d;
  }
  let folded = all.x ^ all.y ^ all.z ^ all.w;
  if (folded == 0x9e3779b9) {
    out[0] = folded;
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

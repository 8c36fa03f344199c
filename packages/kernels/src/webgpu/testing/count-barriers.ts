// Counts the barriers that a kernel's threads come to, which its text alone does not tell.
import { bufferUsage } from "../device/buffer-usage.ts";
import type { GpuDevice } from "../device/gpu-device.ts";
import type { KernelForm } from "../device/kernel.ts";
import { readShader } from "../device/shader-text.ts";
import type { KernelInput } from "./run-kernel.ts";

const countBinding = 15;

/** Of any thread of `shader`, which takes form's bindings and parameters, for that input. */
export async function countBarriers(
  { raw }: GpuDevice,
  shader: string,
  { form, input }: { readonly form: KernelForm; readonly input: KernelInput },
): Promise<number> {
  const entries = [...form.bindings, "write" as const].map((access, i) => ({
    binding: i < form.bindings.length ? i : countBinding,
    visibility: 4, // GPUShaderStage.COMPUTE
    buffer: { type: access === "read" ? "read-only-storage" : "storage" } as const,
  }));
  const layout = raw.createBindGroupLayout({ entries });
  const pipeline = await raw.createComputePipelineAsync({
    layout: raw.createPipelineLayout({
      bindGroupLayouts: [layout],
      immediateSize: form.parameterWords * 4,
    }),
    compute: {
      module: raw.createShaderModule({ code: withCount(readShader(shader)) }),
      entryPoint: "fromImmediates",
      constants: form.constants,
    },
  });
  const { storage, copySource, copyTarget, mapRead } = bufferUsage;
  const buffers = [...input.buffers, new Uint32Array(4)].map((words) => {
    const usage = storage | copySource | copyTarget;
    const buffer = raw.createBuffer({ size: words.byteLength, usage });
    raw.queue.writeBuffer(buffer, 0, words);
    return buffer;
  });
  const readBack = raw.createBuffer({ size: 16, usage: mapRead | copyTarget });
  const encoder = raw.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    raw.createBindGroup({
      layout,
      entries: buffers.map((buffer, i) => ({
        binding: entries[i]!.binding,
        resource: { buffer },
      })),
    }),
  );
  pass.setImmediates(0, input.parameters);
  pass.dispatchWorkgroups(...input.workgroups);
  pass.end();
  encoder.copyBufferToBuffer(buffers.at(-1)!, 0, readBack, 0, 16);
  raw.queue.submit([encoder.finish()]);
  await readBack.mapAsync(1); // GPUMapMode.READ
  const [count] = new Uint32Array(readBack.getMappedRange().slice(0));
  for (const buffer of [...buffers, readBack]) buffer.destroy();
  return count!;
}

/** The shader, each of whose threads leaves how many barriers it came to. */
function withCount(code: string): string {
  const counting = code
    .replaceAll("workgroupBarrier();", "workgroupBarrier();\n  barriers += 1u;")
    .replace(/( run\([^;]*, immediates\);)/, "$1\n  barrierCount[0] = barriers;");
  return `${counting}
var<private> barriers: u32;
@group(0) @binding(${countBinding}) var<storage, read_write> barrierCount: array<u32>;
`;
}

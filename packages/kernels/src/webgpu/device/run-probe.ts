// Runs a shader once, before a device is put to use, to see whether it does what kernels suppose.
import { bufferUsage } from "./buffer-usage.ts";

/** A shader whose bindings are what it reads, in order, and then the one buffer that it writes. */
export interface ProbeShader {
  readonly code: string;
  readonly reads: readonly Uint32Array<ArrayBuffer>[];
  /** Whole words. */
  readonly outputBytes: number;
  readonly workgroups: number;
}

/**
 * @returns what the shader wrote
 * @throws what Dawn says of a shader that cannot be compiled, or of a device that was lost
 */
export async function runProbe(device: GPUDevice, probe: ProbeShader): Promise<Uint32Array> {
  const module = device.createShaderModule({ code: probe.code });
  const pipeline = await device.createComputePipelineAsync({
    layout: "auto",
    compute: { module },
  });
  const { storage, copySource, copyTarget, mapRead } = bufferUsage;
  const buffers = probe.reads.map((words) => {
    const buffer = device.createBuffer({ size: words.byteLength, usage: storage | copyTarget });
    device.queue.writeBuffer(buffer, 0, words);
    return buffer;
  });
  const size = probe.outputBytes;
  const output = device.createBuffer({ size, usage: storage | copySource });
  const readBack = device.createBuffer({ size, usage: mapRead | copyTarget });
  const bound = [...buffers, output];
  const entries = bound.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const layout = pipeline.getBindGroupLayout(0);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
  pass.dispatchWorkgroups(probe.workgroups);
  pass.end();
  encoder.copyBufferToBuffer(output, 0, readBack, 0, size);
  device.queue.submit([encoder.finish()]);
  await readBack.mapAsync(1); // GPUMapMode.READ, which is no global here
  const words = new Uint32Array(readBack.getMappedRange().slice(0));
  for (const buffer of [...bound, readBack]) buffer.destroy();
  return words;
}

// What is asked of a device at once: dispatches in one pass, copies after it, one submission.
import type { GpuDevice } from "./gpu-device.ts";
import type { Kernel } from "./kernel.ts";

/** One run of a kernel. */
export interface Dispatch {
  readonly kernel: Kernel;
  readonly bindGroup: GPUBindGroup;
  /** As many words as the kernel's form says. */
  readonly parameters: Uint32Array<ArrayBuffer>;
  readonly workgroups: readonly [x: number, y: number, z?: number];
  /** Of weights; what the caches spare is not taken off. */
  readonly weightBytesRead: number;
  /** Of keys and values; 0 unless told. */
  readonly cacheBytesRead?: number;
}

/** Bytes that move from one buffer to another once the dispatches are done. */
export interface BufferCopy {
  readonly from: GPUBuffer;
  readonly to: GPUBuffer;
  readonly sizeBytes: number;
  readonly toOffsetBytes?: number;
}

/** Runs `dispatches` in order, each seeing what those before it wrote, then copies. */
export function submit(
  device: GpuDevice,
  dispatches: readonly Dispatch[],
  copies: readonly BufferCopy[],
): void {
  const { raw, counts, parameters } = device;
  const encoder = raw.createCommandEncoder();
  const pass = encoder.beginComputePass();
  encodeDispatches(device, pass, dispatches);
  pass.end();
  for (const { from, to, sizeBytes, toOffsetBytes = 0 } of copies) {
    encoder.copyBufferToBuffer(from, 0, to, toOffsetBytes, Math.ceil(sizeBytes / 4) * 4);
  }
  parameters?.flush();
  raw.queue.submit([encoder.finish()]);
  counts.dispatches += dispatches.length;
  counts.submits += 1;
}

/** Puts `dispatches` into a pass; the parameter arena is to be flushed before it is submitted. */
export function encodeDispatches(
  { counts, parameters }: GpuDevice,
  pass: GPUComputePassEncoder,
  dispatches: readonly Dispatch[],
): void {
  let current: GPUComputePipeline | undefined;
  for (const { kernel, bindGroup, parameters: words, workgroups, ...reads } of dispatches) {
    if (kernel.pipeline !== current) pass.setPipeline(kernel.pipeline);
    current = kernel.pipeline;
    if (parameters === undefined) {
      pass.setBindGroup(0, bindGroup);
      pass.setImmediates(0, words);
    } else {
      pass.setBindGroup(0, bindGroup, [parameters.place(words)]);
    }
    pass.dispatchWorkgroups(...workgroups);
    counts.weightBytesRead += reads.weightBytesRead;
    counts.cacheBytesRead += reads.cacheBytesRead ?? 0;
  }
}

// Runs one kernel over buffers of a test's own and brings back all of them.
import { BindGroups } from "../device/bind-groups.ts";
import { bufferUsage } from "../device/buffer-usage.ts";
import { submit } from "../device/commands.ts";
import type { GpuDevice } from "../device/gpu-device.ts";
import type { KernelForm } from "../device/kernel.ts";
import { ReadBackRing } from "../device/read-back-ring.ts";

/** One run. buffers: what they hold before, in the order of the bindings, in whole 16 bytes. */
export interface KernelInput {
  readonly buffers: readonly Uint32Array<ArrayBuffer>[];
  readonly parameters: Uint32Array<ArrayBuffer>;
  readonly workgroups: readonly [x: number, y: number];
}

/** What the buffers hold afterwards, one behind the other. */
export async function runKernel(
  device: GpuDevice,
  form: KernelForm,
  { buffers, parameters, workgroups }: KernelInput,
): Promise<Uint8Array> {
  const { storage, copySource, copyTarget } = bufferUsage;
  const held = buffers.map((words, i) => {
    const buffer = device.createBuffer(
      `binding ${i}`,
      words.byteLength,
      storage | copySource | copyTarget,
    );
    device.raw.queue.writeBuffer(buffer, 0, words);
    return buffer;
  });
  const kernel = device.kernels.load(form);
  const bindGroup = new BindGroups(device).get(kernel, held);
  const sizeBytes = held.reduce((sum, { size }) => sum + size, 0);
  const ring = new ReadBackRing(device);
  const slot = await ring.acquire();
  const to = slot.buffer(sizeBytes);
  let toOffsetBytes = 0;
  const copies = held.map((buffer) => {
    const copy = { from: buffer, to, sizeBytes: buffer.size, toOffsetBytes };
    toOffsetBytes += buffer.size;
    return copy;
  });
  const dispatch = { kernel, bindGroup, parameters, workgroups, weightBytesRead: 0 };
  submit(device, [dispatch], copies);
  const found = new Uint8Array(await slot.read(sizeBytes));
  for (const buffer of held) buffer.destroy();
  ring.destroy();
  return found;
}

// Buffers that are made anew when more is asked of them, and so not at all once warm.
import type { BindGroups } from "./device/bind-groups.ts";
import { bufferUsage } from "./device/buffer-usage.ts";
import type { GpuDevice } from "./device/gpu-device.ts";

const usage = bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyTarget;

/** Storage buffers by name. What a buffer held is lost when it grows. */
export class GrownBuffers {
  readonly #device: GpuDevice;
  readonly #groups: BindGroups;
  readonly #buffers = new Map<string, GPUBuffer>();

  constructor(device: GpuDevice, groups: BindGroups) {
    this.#device = device;
    this.#groups = groups;
  }

  /** The buffer called so, of at least `sizeBytes`; a new one holds zeros. */
  get(name: string, sizeBytes: number): GPUBuffer {
    const known = this.#buffers.get(name);
    if (known !== undefined && known.size >= sizeBytes) return known;
    const size = 2 ** Math.ceil(Math.log2(Math.max(sizeBytes, 256)));
    const buffer = this.#device.createBuffer(name, this.#withinLimit(size, sizeBytes), usage);
    this.#buffers.set(name, buffer);
    if (known !== undefined) {
      known.destroy();
      this.#groups.forget();
    }
    return buffer;
  }

  /** The buffer called so, if there is one. */
  find(name: string): GPUBuffer | undefined {
    return this.#buffers.get(name);
  }

  /** The buffer called so, with `data` at its start. */
  write(name: string, data: Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): GPUBuffer {
    const buffer = this.get(name, data.byteLength);
    if (data.byteLength > 0) this.#device.raw.queue.writeBuffer(buffer, 0, data);
    return buffer;
  }

  destroy(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }

  #withinLimit(size: number, sizeBytes: number): number {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.#device.raw.limits;
    return Math.max(sizeBytes, Math.min(size, maxBufferSize, maxStorageBufferBindingSize));
  }
}

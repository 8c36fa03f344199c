// Buffers by which results come back: a ring, so that one call's may be read while the next computes.
import { bufferUsage } from "./buffer-usage.ts";
import type { GpuDevice } from "./gpu-device.ts";

const numSlots = 3;

/** A buffer that results are copied to and read from; the caller's until released. */
export class ReadBackSlot {
  readonly #device: GpuDevice;
  readonly #release: () => void;
  #buffer: GPUBuffer | undefined;

  constructor(device: GpuDevice, release: (slot: ReadBackSlot) => void) {
    this.#device = device;
    this.#release = () => release(this);
  }

  /** The buffer to copy to, of at least `sizeBytes`. */
  buffer(sizeBytes: number): GPUBuffer {
    if (this.#buffer === undefined || this.#buffer.size < sizeBytes) {
      this.#buffer?.destroy();
      const size = 2 ** Math.ceil(Math.log2(Math.max(sizeBytes, 4096)));
      const usage = bufferUsage.mapRead | bufferUsage.copyTarget;
      this.#buffer = this.#device.createBuffer("read-back", size, usage);
    }
    return this.#buffer;
  }

  /** The first `sizeBytes`, once what was submitted has run. */
  async read(sizeBytes: number): Promise<ArrayBuffer> {
    const buffer = this.buffer(sizeBytes);
    const mapped = Math.ceil(sizeBytes / 4) * 4;
    try {
      await this.#device.settled(buffer.mapAsync(1, 0, mapped)); // GPUMapMode.READ, which is no global here
      this.#device.assertSound();
      const bytes = buffer.getMappedRange(0, mapped).slice(0, sizeBytes);
      buffer.unmap();
      this.#device.counts.readBacks += 1;
      return bytes;
    } catch (error) {
      throw this.#device.explain(error);
    }
  }

  /** Gives the slot back; whoever acquired it does so once. */
  release(): void {
    this.#release();
  }

  destroy(): void {
    this.#buffer?.destroy();
    this.#buffer = undefined;
  }
}

/** Slots of one engine, handed out in the order they are asked for. */
export class ReadBackRing {
  readonly #slots: readonly ReadBackSlot[];
  readonly #free: ReadBackSlot[];
  readonly #waiting: ((slot: ReadBackSlot) => void)[] = [];

  constructor(device: GpuDevice) {
    const release = (slot: ReadBackSlot) => {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(slot);
      else next(slot);
    };
    this.#slots = Array.from({ length: numSlots }, () => new ReadBackSlot(device, release));
    this.#free = [...this.#slots];
  }

  /** A slot, once one is free. */
  acquire(): Promise<ReadBackSlot> {
    // The one used last: its buffer is large enough, as likely as not.
    const slot = this.#waiting.length === 0 ? this.#free.pop() : undefined;
    return slot === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(slot);
  }

  /** To be called when no slot is in use. */
  destroy(): void {
    for (const slot of this.#slots) slot.destroy();
  }
}

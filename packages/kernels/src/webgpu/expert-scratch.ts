// What an expert engine computes in: buffers that grow to the largest call and stay.
import { dispatchDtype, type ModelConfig, replyDtype, type WeightDtype } from "@octet/core";
import { bufferUsage } from "./device/buffer-usage.ts";
import type { GpuDevice } from "./device/gpu-device.ts";
import { deviceRowBytes } from "./device-rows.ts";

/** Rows that go through the matrices at a time: bounds what lies between them, and a dispatch. */
export const rowsPerPiece = 256;

/** The smallest capacity, in rows. */
const rowsMin = 8;

/** Buffers of one engine. */
export class ExpertScratch {
  readonly #device: GpuDevice;
  readonly #model: ModelConfig;
  readonly #weightDtype: WeightDtype;
  #capacity = 0;
  #buffers: { x: GPUBuffer; hidden: GPUBuffer; out: GPUBuffer } | undefined;
  #many: { gated: GPUBuffer; linear: GPUBuffer } | undefined;

  constructor(device: GpuDevice, model: ModelConfig, weightDtype: WeightDtype) {
    this.#device = device;
    this.#model = model;
    this.#weightDtype = weightDtype;
  }

  /**
   * Makes room for calls of `numRows`.
   *
   * @returns whether other buffers than before are in use, so that bind groups must be forgotten
   */
  reserve(numRows: number): boolean {
    if (numRows <= this.#capacity) return false;
    this.destroy();
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(numRows, rowsMin)));
    const { hiddenSize, intermediateSize } = this.#model;
    const { storage, copySource, copyTarget } = bufferUsage;
    const dtype = dispatchDtype(this.#weightDtype);
    const xBytes = capacity * deviceRowBytes(dtype, hiddenSize);
    const hiddenBytes = Math.min(capacity, rowsPerPiece) * deviceRowBytes(dtype, intermediateSize);
    const outBytes = capacity * deviceRowBytes(replyDtype(this.#weightDtype), hiddenSize);
    this.#buffers = {
      x: this.#device.createBuffer("expert x", xBytes, storage | copyTarget),
      hidden: this.#device.createBuffer(
        "expert hidden",
        hiddenBytes,
        storage | copySource | copyTarget,
      ),
      out: this.#device.createBuffer("expert out", outBytes, storage | copySource),
    };
    this.#capacity = capacity;
    return true;
  }

  /** [capacity, H] in dispatchDtype. */
  get x(): GPUBuffer {
    return this.#reserved().x;
  }

  /** [rowsPerPiece, I] in dispatchDtype. */
  get hidden(): GPUBuffer {
    return this.#reserved().hidden;
  }

  /** [capacity, H] in replyDtype. */
  get out(): GPUBuffer {
    return this.#reserved().out;
  }

  /** x, and [rowsPerPiece, I] f32 of each branch, which calls of a few rows do without. */
  many(): { x: GPUBuffer; gated: GPUBuffer; linear: GPUBuffer } {
    if (this.#many === undefined) {
      const rows = Math.min(this.#capacity, rowsPerPiece);
      const sizeBytes = rows * deviceRowBytes("f32", this.#model.intermediateSize);
      const create = (label: string) =>
        this.#device.createBuffer(label, sizeBytes, bufferUsage.storage);
      this.#many = { gated: create("expert gated"), linear: create("expert linear") };
    }
    return { x: this.x, ...this.#many };
  }

  destroy(): void {
    for (const buffers of [this.#buffers, this.#many]) {
      for (const buffer of Object.values(buffers ?? {})) buffer.destroy();
    }
    this.#buffers = undefined;
    this.#many = undefined;
    this.#capacity = 0;
  }

  #reserved() {
    if (this.#buffers === undefined) throw new RangeError("expert scratch: reserve rows first");
    return this.#buffers;
  }
}

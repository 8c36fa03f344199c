// Experts on a device: the side of the expert engine that lives in the GPU thread.
import { dispatchDtype, type ModelConfig, replyDtype, type WeightDtype } from "@octet/core";
import type { ExpertEngineOptions } from "../expert-engine.ts";
import { KernelError } from "../kernel-error.ts";
import { BindGroups } from "./device/bind-groups.ts";
import { type Dispatch, submit } from "./device/commands.ts";
import type { GpuDevice } from "./device/gpu-device.ts";
import { ReadBackRing } from "./device/read-back-ring.ts";
import { Uploader } from "./device/uploader.ts";
import { deviceRowBytes, fromDeviceRows, toDeviceRows } from "./device-rows.ts";
import {
  type ExpertKernels,
  feedForward,
  type GpuExpert,
  loadExpertKernels,
} from "./expert-kernels.ts";
import { ExpertScratch, rowsPerPiece } from "./expert-scratch.ts";
import { destroyMatrix, type MatrixSource, uploadMatrix } from "./gpu-matrix.ts";
import { firstNonFinite } from "./non-finite.ts";
import type { Answer, LoadEngine, LoadedEngine } from "./thread/recovering-engine.ts";
import { expertTuning, type TuningOptions } from "./tuning/open-tuning.ts";
import { WeightFiles } from "./weight-files.ts";

/** What crosses to the GPU thread of an expert engine's options. */
export type ExpertLoadOptions = Omit<ExpertEngineOptions, "threads"> & {
  readonly tuning?: TuningOptions | undefined;
};

/** A call as it crosses; the proxy has checked it. */
export interface ExpertCallBody {
  readonly layer: number;
  /** Its place in the options' `expertIds`. */
  readonly expertIndex: number;
  readonly numRows: number;
  readonly data: ArrayBuffer;
}

/** Loads experts whose files the proxy has checked. */
export function expertLoader(options: ExpertLoadOptions): LoadEngine {
  return async (device, onProgress) => {
    const experts: GpuExpert[] = [];
    const { model, weightDtype: dtype } = options;
    try {
      const { choice, notes } = await expertTuning(device, { model, dtype }, options.tuning);
      const kernels = await device.compiled(
        () => loadExpertKernels(device, dtype, choice),
        onProgress,
      );
      await uploadExperts(device, options, experts);
      return new LoadedExperts(device, { options, kernels, experts, notes });
    } catch (error) {
      destroyExperts(experts);
      throw device.explain(error);
    }
  };
}

async function uploadExperts(
  device: GpuDevice,
  { model, weightDtype, weights, expertIds }: ExpertLoadOptions,
  experts: GpuExpert[],
): Promise<void> {
  await using files = new WeightFiles(weights);
  const uploader = new Uploader(device);
  const { hiddenSize: H, intermediateSize: I } = model;
  const upload = (name: string, shape: MatrixSource["shape"]) =>
    uploadMatrix(uploader, files, { device, source: { name, dtype: weightDtype, shape } });
  for (let layer = 0; layer < model.numLayers; layer++) {
    for (const expertId of expertIds) {
      const prefix = `model.layers.${layer}.block_sparse_moe.experts.${expertId}`;
      const w1 = await upload(`${prefix}.w1.weight`, [I, H]);
      const w3 = await upload(`${prefix}.w3.weight`, [I, H]);
      const w2 = await upload(`${prefix}.w2.weight`, [H, I]);
      experts.push({ w1, w3, w2 });
    }
  }
  await uploader.finish();
}

function destroyExperts(experts: readonly GpuExpert[]): void {
  for (const { w1, w3, w2 } of experts) for (const matrix of [w1, w3, w2]) destroyMatrix(matrix);
}

/** Layer by layer, each layer's experts in the order of the options. */
interface LoadedParts {
  readonly options: ExpertLoadOptions;
  readonly kernels: ExpertKernels;
  readonly experts: readonly GpuExpert[];
  readonly notes: readonly string[];
}

class LoadedExperts implements LoadedEngine {
  readonly weightBytes: number;
  readonly notes: readonly string[];
  readonly #device: GpuDevice;
  readonly #model: ModelConfig;
  readonly #weightDtype: WeightDtype;
  readonly #parts: LoadedParts;
  readonly #groups: BindGroups;
  readonly #scratch: ExpertScratch;
  readonly #ring: ReadBackRing;

  constructor(device: GpuDevice, parts: LoadedParts) {
    const { model, weightDtype } = parts.options;
    this.#device = device;
    this.#model = model;
    this.#weightDtype = weightDtype;
    this.#parts = parts;
    this.notes = parts.notes;
    this.#groups = new BindGroups(device);
    this.#scratch = new ExpertScratch(device, model, weightDtype);
    this.#ring = new ReadBackRing(device);
    this.weightBytes = parts.experts.reduce(
      (sum, { w1, w3, w2 }) => sum + w1.sizeBytes + w3.sizeBytes + w2.sizeBytes,
      0,
    );
  }

  async call(body: unknown): Promise<Answer> {
    const call = body as ExpertCallBody; // made by the proxy in webgpu-expert-engine.ts
    const { numRows } = call;
    const width = this.#model.hiddenSize;
    const dtype = replyDtype(this.#weightDtype);
    const sizeBytes = numRows * deviceRowBytes(dtype, width);
    const slot = await this.#ring.acquire();
    try {
      this.#device.assertSound();
      if (this.#scratch.reserve(numRows)) this.#groups.forget();
      const copies = [{ from: this.#scratch.out, to: slot.buffer(sizeBytes), sizeBytes }];
      submit(this.#device, this.#encode(call), copies);
      const bytes = new Uint8Array(await slot.read(sizeBytes));
      this.#refuseNonFinite(call, bytes);
      const rows = fromDeviceRows(bytes, { dtype, rows: numRows, width });
      return { body: rows.buffer, transfer: [rows.buffer] };
    } finally {
      slot.release();
    }
  }

  destroy(): void {
    this.#ring.destroy();
    this.#scratch.destroy();
    destroyExperts(this.#parts.experts);
  }

  #encode({ layer, expertIndex, numRows, data }: ExpertCallBody): Dispatch[] {
    const { options, kernels, experts } = this.#parts;
    const dtype = dispatchDtype(this.#weightDtype);
    const rows = { dtype, rows: numRows, width: this.#model.hiddenSize };
    const scratch = this.#scratch;
    const x = toDeviceRows({ ...rows, data: new Uint8Array(data) });
    this.#device.raw.queue.writeBuffer(scratch.x, 0, x);
    const expert = experts[layer * options.expertIds.length + expertIndex]!;
    const dispatches: Dispatch[] = [];
    for (let firstRow = 0; firstRow < numRows; firstRow += rowsPerPiece) {
      const piece = { firstRow, numRows: Math.min(rowsPerPiece, numRows - firstRow) };
      dispatches.push(...feedForward(kernels, this.#groups, { expert, scratch, rows: piece }));
    }
    return dispatches;
  }

  #refuseNonFinite({ layer, expertIndex }: ExpertCallBody, bytes: Uint8Array<ArrayBuffer>): void {
    const dtype = replyDtype(this.#weightDtype);
    if (firstNonFinite(bytes, dtype) === undefined) return;
    throw new KernelError(
      "non-finite",
      `layer ${layer} expert ${this.#parts.options.expertIds[expertIndex]}: expected finite ` +
        "outputs, found NaN or infinity; check the rows sent and the weights' checksum",
    );
  }
}

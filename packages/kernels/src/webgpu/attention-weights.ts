// The coordinator's tensors and its KV cache in the device's memory.
import type { ModelConfig, WeightDtype, WeightFile } from "@octet/core";
import { requiredAttentionTensors } from "../validate-weights.ts";
import { type AttentionShape, cacheBytes } from "./attention-shape.ts";
import { bufferUsage } from "./device/buffer-usage.ts";
import type { GpuDevice } from "./device/gpu-device.ts";
import { Uploader } from "./device/uploader.ts";
import { type GpuMatrix, matrixBuffers, uploadMatrix, uploadStacked } from "./gpu-matrix.ts";
import { WeightFiles } from "./weight-files.ts";

/** One layer's tensors, experts excepted, and its part of the KV cache. */
export interface GpuLayer {
  readonly inputNorm: GPUBuffer;
  /** Query, key and value, one below the other, each of whole panels. */
  readonly projection: GpuMatrix;
  readonly output: GpuMatrix;
  readonly postAttentionNorm: GPUBuffer;
  /** [E, H] f32 */
  readonly gate: GPUBuffer;
  /** rotate-store.wgsl says what lies where. */
  readonly keys: GPUBuffer;
  readonly values: GPUBuffer;
}

/** Everything that is not an expert. */
export interface GpuAttentionWeights {
  readonly embedding: GpuMatrix;
  readonly layers: readonly GpuLayer[];
  readonly finalNorm: GPUBuffer;
  readonly lmHead: GpuMatrix;
  /** Of the tensors in the file. */
  readonly bytes: number;
  readonly kvBytes: number;
  destroy(): void;
}

/** What to load. */
export interface AttentionSource {
  readonly shape: AttentionShape;
  readonly weights: WeightFile;
  readonly numBlocks: number;
  readonly blockSizeTokens: number;
}

/**
 * Uploads what has been validated, and makes the KV cache.
 *
 * @throws {KernelError} "bad-weights" if the file is not as long as it says; "unsupported" if a
 *   tensor or the cache is more than the device can bind; "device-lost"
 */
export async function loadGpuAttention(
  device: GpuDevice,
  source: AttentionSource,
): Promise<GpuAttentionWeights> {
  const loader = new AttentionLoader(device, source);
  try {
    return await loader.load();
  } catch (error) {
    loader.destroy();
    throw device.explain(error);
  }
}

class AttentionLoader {
  readonly #device: GpuDevice;
  readonly #source: AttentionSource;
  readonly #uploader: Uploader;
  readonly #files: WeightFiles;
  readonly #buffers: GPUBuffer[] = [];

  constructor(device: GpuDevice, source: AttentionSource) {
    this.#device = device;
    this.#source = source;
    this.#uploader = new Uploader(device);
    this.#files = new WeightFiles([source.weights]);
  }

  async load(): Promise<GpuAttentionWeights> {
    await using _files = this.#files;
    const { shape, weights, numBlocks, blockSizeTokens } = this.#source;
    const { model, weightDtype } = shape;
    const embeddingDtype = weights.tensors.get("model.embed_tokens.weight")!.dtype;
    const embedding = await this.#matrix(
      "model.embed_tokens",
      [model.vocabSize, model.hiddenSize],
      {
        dtype: embeddingDtype === "f32" ? "f32" : "bf16",
      },
    );
    const layers: GpuLayer[] = [];
    for (let layer = 0; layer < model.numLayers; layer++) layers.push(await this.#layer(layer));
    const finalNorm = await this.#tensor("model.norm");
    const lmHead = await this.#matrix("lm_head", [model.vocabSize, model.hiddenSize]);
    await this.#uploader.finish();
    return {
      embedding,
      layers,
      finalNorm,
      lmHead,
      bytes: fileBytes(weights, model, weightDtype),
      kvBytes: 2 * model.numLayers * cacheBytes(shape, { numBlocks, blockSizeTokens }),
      destroy: () => this.destroy(),
    };
  }

  destroy(): void {
    for (const buffer of this.#buffers.splice(0)) buffer.destroy();
  }

  async #layer(layer: number): Promise<GpuLayer> {
    const { shape } = this.#source;
    const { hiddenSize: H } = shape.model;
    const prefix = `model.layers.${layer}`;
    const bytes = cacheBytes(shape, this.#source);
    return {
      inputNorm: await this.#tensor(`${prefix}.input_layernorm`),
      projection: await this.#projection(`${prefix}.self_attn`),
      output: await this.#matrix(`${prefix}.self_attn.o_proj`, [H, shape.queryWidth]),
      postAttentionNorm: await this.#tensor(`${prefix}.post_attention_layernorm`),
      gate: await this.#tensor(`${prefix}.block_sparse_moe.gate`),
      keys: this.#buffer(`${prefix} keys`, bytes),
      values: this.#buffer(`${prefix} values`, bytes),
    };
  }

  async #projection(prefix: string): Promise<GpuMatrix> {
    const { queryWidth, keyWidth, weightDtype, model } = this.#source.shape;
    const part = (name: string, rows: number) => ({
      name: `${prefix}.${name}.weight`,
      dtype: weightDtype,
      shape: [rows, model.hiddenSize] as const,
    });
    const sources = [
      part("q_proj", queryWidth),
      part("k_proj", keyWidth),
      part("v_proj", keyWidth),
    ];
    return this.#keep(
      await uploadStacked(this.#uploader, this.#files, { device: this.#device, sources }),
    );
  }

  async #matrix(
    name: string,
    shape: readonly [number, number],
    { dtype = this.#source.shape.weightDtype }: { dtype?: WeightDtype } = {},
  ): Promise<GpuMatrix> {
    const source = { name: `${name}.weight`, dtype, shape };
    return this.#keep(
      await uploadMatrix(this.#uploader, this.#files, { device: this.#device, source }),
    );
  }

  /** A tensor of f32, as it lies in the file. */
  async #tensor(name: string): Promise<GPUBuffer> {
    const tensor = `${name}.weight`;
    const { weights, location, file } = await this.#files.find(tensor);
    const { offsetBytes, lengthBytes } = location;
    const buffer = this.#buffer(tensor, lengthBytes);
    const what = `${weights.path}: ${tensor}`;
    await this.#uploader.upload(
      { file, what, offsetBytes, rows: 1, rowBytes: lengthBytes },
      { buffer, rowBytes: lengthBytes },
    );
    return buffer;
  }

  #buffer(label: string, sizeBytes: number): GPUBuffer {
    const usage = bufferUsage.storage | bufferUsage.copyTarget;
    const buffer = this.#device.createBuffer(label, sizeBytes, usage);
    this.#buffers.push(buffer);
    return buffer;
  }

  #keep(matrix: GpuMatrix): GpuMatrix {
    this.#buffers.push(...matrixBuffers(matrix));
    return matrix;
  }
}

function fileBytes(weights: WeightFile, model: ModelConfig, weightDtype: WeightDtype): number {
  return requiredAttentionTensors(model, weightDtype).reduce(
    (sum, { name }) => sum + weights.tensors.get(name)!.lengthBytes,
    0,
  );
}

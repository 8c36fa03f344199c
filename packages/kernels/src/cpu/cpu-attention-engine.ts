// The coordinator's side of the seam on C++ kernels.
import type { ModelConfig, WeightDtype, WeightFile } from "@octet/core";
import type {
  AttentionEngine,
  AttentionEngineOptions,
  AttentionStep,
  StepSequence,
} from "../attention-engine.ts";
import { KernelError } from "../kernel-error.ts";
import { assertCounts, validateExpertCounts, validateModel } from "../validate-model.ts";
import { validateStepSequences } from "../validate-step-sequences.ts";
import { requiredAttentionTensors, validateWeights } from "../validate-weights.ts";
import { CpuAttentionStep } from "./cpu-attention-step.ts";
import { type CpuOptions, describeDevice } from "./cpu-expert-engine.ts";
import { selectIsa } from "./cpu-isa.ts";
import { type CpuIsa, loadNativeAddon, type NativeAttentionEngine } from "./native-addon.ts";
import { fromNative } from "./native-failure.ts";
import { attentionOffsets, requiredBytes } from "./tensor-offsets.ts";

/**
 * Opens everything that is not an expert on the CPU. The file is mapped and computed from where it
 * lies; it must not change while the engine is open. The KV cache takes memory as it is written.
 *
 * @throws {KernelError} "unsupported" for a model or an instruction set it cannot compute, or a KV
 *   cache there is no memory for; "bad-weights" for a file that does not hold the tensors, or is
 *   not as long as it should be
 */
export async function openCpuAttentionEngine(
  options: AttentionEngineOptions & CpuOptions,
): Promise<AttentionEngine> {
  const { model, weightDtype, weights, threads, numBlocks, blockSizeTokens } = options;
  assertCounts({ numBlocks, blockSizeTokens, threads });
  validateModel(model, weightDtype);
  validateExpertCounts(model);
  const required = requiredAttentionTensors(model, weightDtype);
  validateWeights(weights, required);
  const isa = selectIsa(options.isa);
  const { AttentionEngine } = loadNativeAddon();
  const facts = { ...options, isa, weightBytes: requiredBytes(weights, required) };
  try {
    const native = new AttentionEngine({
      ...model,
      // No window is one that nothing falls out of.
      slidingWindow: model.slidingWindow ?? Number.MAX_SAFE_INTEGER,
      isa,
      threads,
      format: weightDtype,
      embeddingFormat: embeddingFormat(weights),
      numBlocks,
      blockSizeTokens,
      path: weights.path,
      sizeBytes: weights.sizeBytes,
      offsets: attentionOffsets(weights, model),
    });
    await native.populate();
    return new CpuAttentionEngine(native, facts);
  } catch (error) {
    throw fromNative(error, "cpu attention engine");
  }
}

function embeddingFormat(weights: WeightFile): WeightDtype {
  return weights.tensors.get("model.embed_tokens.weight")?.dtype === "f32" ? "f32" : "bf16";
}

class CpuAttentionEngine implements AttentionEngine {
  readonly kind = "cpu";
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  readonly numBlocks: number;
  readonly blockSizeTokens: number;
  readonly device: string;
  readonly weightBytes: number;
  readonly kvBytes: number;
  readonly #native: NativeAttentionEngine;
  #closing: Promise<void> | undefined;

  constructor(
    native: NativeAttentionEngine,
    facts: AttentionEngineOptions & { readonly isa: CpuIsa; readonly weightBytes: number },
  ) {
    this.#native = native;
    this.model = facts.model;
    this.weightDtype = facts.weightDtype;
    this.numBlocks = facts.numBlocks;
    this.blockSizeTokens = facts.blockSizeTokens;
    this.device = describeDevice(facts.isa, facts.threads);
    this.weightBytes = facts.weightBytes;
    this.kvBytes = native.kvBytes;
  }

  openStep(sequences: readonly StepSequence[]): AttentionStep {
    this.#checkOpen();
    validateStepSequences(sequences, this);
    const { model, weightDtype } = this;
    const checkOpen = () => this.#checkOpen();
    return new CpuAttentionStep({ native: this.#native, model, weightDtype, checkOpen }, sequences);
  }

  close(): Promise<void> {
    this.#closing ??= this.#native.close();
    return this.#closing;
  }

  #checkOpen(): void {
    if (this.#closing === undefined) return;
    throw new KernelError("closed", "the attention engine was closed; open another");
  }
}

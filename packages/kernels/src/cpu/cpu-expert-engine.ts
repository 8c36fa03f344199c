// The expert side of the seam on C++ kernels.
import {
  type ActivationRows,
  activationRowBytes,
  type ExpertId,
  type ModelConfig,
  replyDtype,
  type WeightDtype,
} from "@octet/core";
import type { ExpertCall, ExpertEngine, ExpertEngineOptions } from "../expert-engine.ts";
import { KernelError } from "../kernel-error.ts";
import { validateExpertCall } from "../validate-expert-call.ts";
import { assertCounts, validateModel } from "../validate-model.ts";
import { requiredExpertTensors, validateWeightFiles } from "../validate-weights.ts";
import { CpuFastPath } from "./cpu-fast-path.ts";
import { selectIsa } from "./cpu-isa.ts";
import { type CpuIsa, loadNativeAddon, type NativeExpertEngine } from "./native-addon.ts";
import { fromNative } from "./native-failure.ts";
import { expertOffsets, requiredBytes } from "./tensor-offsets.ts";

/** What every CPU engine may be told besides. */
export interface CpuOptions {
  /** Forces a build of the kernels; the fastest the machine runs unless told. */
  readonly isa?: CpuIsa;
}

/**
 * Opens experts on the CPU. The files are mapped and computed from where they lie; they must not
 * change while the engine is open.
 *
 * @throws {KernelError} "unsupported" for a model or an instruction set it cannot compute;
 *   "bad-weights" for files that do not hold the experts, or are not as long as they should be
 */
export async function openCpuExpertEngine(
  options: ExpertEngineOptions & CpuOptions,
): Promise<ExpertEngine> {
  const { model, weightDtype, weights, threads } = options;
  assertCounts({ threads });
  validateModel(model, weightDtype);
  const required = requiredExpertTensors(model, weightDtype, options.expertIds);
  const parts = validateWeightFiles(weights, required);
  const isa = selectIsa(options.isa);
  const { ExpertEngine } = loadNativeAddon();
  const weightBytes = parts.reduce(
    (sum, part) => sum + requiredBytes(part.weights, part.required),
    0,
  );
  const facts = { ...options, isa, weightBytes };
  try {
    const native = new ExpertEngine({
      isa,
      threads,
      format: weightDtype,
      files: weights.map(({ path, sizeBytes }) => ({ path, sizeBytes })),
      offsets: expertOffsets(weights, model, options.expertIds),
      hiddenSize: model.hiddenSize,
      intermediateSize: model.intermediateSize,
    });
    await native.populate();
    return new CpuExpertEngine(native, facts);
  } catch (error) {
    throw fromNative(error, "cpu expert engine");
  }
}

class CpuExpertEngine implements ExpertEngine {
  readonly kind = "cpu";
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  readonly expertIds: readonly ExpertId[];
  readonly device: string;
  readonly weightBytes: number;
  readonly fastPath: CpuFastPath;
  readonly #native: NativeExpertEngine;
  #closing: Promise<void> | undefined;

  constructor(
    native: NativeExpertEngine,
    facts: ExpertEngineOptions & { readonly isa: CpuIsa; readonly weightBytes: number },
  ) {
    this.#native = native;
    this.model = facts.model;
    this.weightDtype = facts.weightDtype;
    this.expertIds = [...facts.expertIds];
    this.device = describeDevice(facts.isa, facts.threads);
    this.weightBytes = facts.weightBytes;
    this.fastPath = new CpuFastPath(native, facts);
  }

  async forward(call: ExpertCall): Promise<ActivationRows> {
    if (this.#closing !== undefined) {
      throw new KernelError("closed", "the expert engine was closed; open another");
    }
    validateExpertCall(call, this);
    const { layer, expertId, input } = call;
    const dtype = replyDtype(this.weightDtype);
    const width = this.model.hiddenSize;
    const data = Buffer.allocUnsafeSlow(input.rows * activationRowBytes(dtype, width));
    const expert = layer * this.expertIds.length + this.expertIds.indexOf(expertId);
    try {
      await this.#native.forward(expert, input.data, input.rows, data);
    } catch (error) {
      throw fromNative(error, `layer ${layer} expert ${expertId}`);
    }
    return { dtype, rows: input.rows, width, data };
  }

  close(): Promise<void> {
    this.fastPath.close();
    this.#closing ??= this.#native.close();
    return this.#closing;
  }
}

/** "cpu avx2, 2 threads" */
export function describeDevice(isa: CpuIsa, threads: number): string {
  return `cpu ${isa}, ${threads} thread${threads === 1 ? "" : "s"}`;
}

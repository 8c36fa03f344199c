// One batch of sequences on its way through the layers of the C++ engine.
import assert from "node:assert/strict";
import {
  activationRowBytes,
  dispatchDtype,
  type ModelConfig,
  toExpertId,
  type WeightDtype,
} from "@octet/core";
import type {
  AttentionStep,
  ExpertBatch,
  ExpertOutput,
  LayerDispatch,
  StepSequence,
  TopLogits,
} from "../attention-engine.ts";
import { assertTopCount, selectTopLogits } from "../top-logits.ts";
import { validatePrevious } from "../validate-previous.ts";
import type {
  NativeAttentionEngine,
  NativeDispatch,
  NativeReplies,
  NativeStep,
} from "./native-addon.ts";
import { fromNative, isReplyFailure } from "./native-failure.ts";
import { flattenSequences } from "./step-rows.ts";

/** What a step uses of the engine that opened it. */
export interface CpuStepContext {
  readonly native: NativeAttentionEngine;
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  /** @throws {KernelError} "closed" once the engine is */
  checkOpen(): void;
}

export class CpuAttentionStep implements AttentionStep {
  readonly numTokens: number;
  readonly #context: CpuStepContext;
  readonly #step: NativeStep;
  readonly #numLogitRows: number;
  /** [T × K] rows for the experts, written anew by each layer. */
  readonly #rows: Uint8Array;
  #batches: readonly ExpertBatch[] = [];
  #layersDone = 0;
  /** "broken": a failure left the residual stream half changed. */
  #state: "ready" | "running" | "finished" | "broken" = "ready";

  constructor(context: CpuStepContext, sequences: readonly StepSequence[]) {
    const { model, weightDtype, native } = context;
    const flat = flattenSequences(sequences);
    this.#context = context;
    this.numTokens = flat.tokenIds.length;
    this.#numLogitRows = flat.logitRows.length;
    this.#step = native.openStep(flat);
    const rowBytes = activationRowBytes(dispatchDtype(weightDtype), model.hiddenSize);
    this.#rows = Buffer.allocUnsafeSlow(this.numTokens * model.numExpertsPerToken * rowBytes);
  }

  async runLayer(layer: number, previous: readonly ExpertOutput[]): Promise<LayerDispatch> {
    const { native, model } = this.#context;
    assert(layer < model.numLayers, `layer ${layer} of ${model.numLayers}`);
    assert.equal(layer, this.#layersDone, "layers run in order, each once");
    const replies = this.#takeReplies(previous);
    const numRows = this.numTokens * model.numExpertsPerToken;
    const target = {
      rows: this.#rows,
      tokenIndex: new Int32Array(numRows),
      batchStart: new Int32Array(model.numExperts + 1),
      expertIds: new Int32Array(numRows),
      combineWeights: new Float32Array(numRows),
    };
    await this.#run(`layer ${layer}`, native.runLayer(this.#step, layer, replies, target));
    this.#layersDone += 1;
    this.#batches = this.#batchesOf(target);
    const { expertIds, combineWeights } = target;
    return { batches: this.#batches, expertIds, combineWeights };
  }

  async finish(previous: readonly ExpertOutput[]): Promise<Float32Array> {
    const { native, model } = this.#context;
    assert.equal(this.#layersDone, model.numLayers, "finish follows the last layer");
    const replies = this.#takeReplies(previous);
    const logits = new Float32Array(this.#numLogitRows * model.vocabSize);
    await this.#run("finish", native.finish(this.#step, replies, logits));
    this.#state = "finished";
    return logits;
  }

  async finishTop(previous: readonly ExpertOutput[], count: number): Promise<TopLogits> {
    const { vocabSize } = this.#context.model;
    assertTopCount(count, vocabSize);
    return selectTopLogits(await this.finish(previous), { count, vocabSize });
  }

  #takeReplies(previous: readonly ExpertOutput[]): NativeReplies {
    const { model, weightDtype, checkOpen } = this.#context;
    checkOpen();
    assert.equal(this.#state, "ready", "one call at a time, and none after a failure or finish");
    const { hiddenSize } = model;
    const expected = { batches: this.#batches, weightDtype, hiddenSize };
    const replies = new Array<Uint8Array | undefined>(model.numExperts).fill(undefined);
    for (const { expertId, output } of validatePrevious(previous, expected)) {
      replies[expertId] = output.data;
    }
    return replies;
  }

  async #run(where: string, call: Promise<void>): Promise<void> {
    this.#state = "running";
    try {
      await call;
      this.#state = "ready";
    } catch (error) {
      this.#state = isReplyFailure(error) ? "ready" : "broken";
      throw fromNative(error, where);
    }
  }

  #batchesOf({ rows, tokenIndex, batchStart }: NativeDispatch): ExpertBatch[] {
    const { model, weightDtype } = this.#context;
    const dtype = dispatchDtype(weightDtype);
    const width = model.hiddenSize;
    const rowBytes = activationRowBytes(dtype, width);
    const batches: ExpertBatch[] = [];
    for (let expert = 0; expert < model.numExperts; expert++) {
      const first = batchStart[expert]!;
      const end = batchStart[expert + 1]!;
      if (first === end) continue;
      const data = rows.subarray(first * rowBytes, end * rowBytes);
      batches.push({
        expertId: toExpertId(expert, model.numExperts),
        input: { dtype, rows: end - first, width, data },
        tokenIndex: tokenIndex.subarray(first, end),
      });
    }
    return batches;
  }
}

// One batch of sequences on its way through the layers of the GPU's engine.
import assert from "node:assert/strict";
import {
  type ActivationRows,
  activationRowBytes,
  dispatchDtype,
  type ModelConfig,
  replyDtype,
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
import { assertTopCount } from "../top-logits.ts";
import { validatePrevious } from "../validate-previous.ts";
import type { AttentionCall, FinishAnswer, LayerAnswer } from "./attention-protocol.ts";
import { copyDeviceRows, deviceRowBytes } from "./device-rows.ts";
import type { PlainSequence } from "./step-tables.ts";

/** What a step uses of the engine that opened it. */
export interface WebGpuStepContext {
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  readonly stepId: number;
  /** @throws {KernelError} "device-lost", "non-finite", "closed" */
  call(call: AttentionCall): Promise<unknown>;
  /** @throws {KernelError} "closed" once the engine is */
  checkOpen(): void;
}

export class WebGpuAttentionStep implements AttentionStep {
  readonly numTokens: number;
  readonly #context: WebGpuStepContext;
  readonly #sequences: readonly PlainSequence[];
  readonly #numLogitRows: number;
  #batches: readonly ExpertBatch[] = [];
  #layersDone = 0;
  /** "broken": a failure left the residual stream half changed, or took it away. */
  #state: "ready" | "running" | "finished" | "broken" = "ready";

  constructor(context: WebGpuStepContext, sequences: readonly StepSequence[]) {
    this.#context = context;
    this.#sequences = sequences.map(({ tokenIds, startPosition, blockTable, logits }) => ({
      tokenIds: tokenIds.slice(),
      startPosition,
      blockTable: Int32Array.from(blockTable),
      logits,
    }));
    this.numTokens = sequences.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
    this.#numLogitRows = sequences.reduce((sum, sequence) => sum + logitRows(sequence), 0);
  }

  async runLayer(layer: number, previous: readonly ExpertOutput[]): Promise<LayerDispatch> {
    const { model, stepId } = this.#context;
    assert(layer < model.numLayers, `layer ${layer} of ${model.numLayers}`);
    assert.equal(layer, this.#layersDone, "layers run in order, each once");
    const replies = this.#takeReplies(previous);
    const sequences = layer === 0 ? this.#sequences : undefined;
    const call = { kind: "layer", stepId, layer, sequences, replies } as const;
    const answer = (await this.#run(call)) as LayerAnswer;
    this.#layersDone += 1;
    this.#batches = this.#batchesOf(answer);
    const { expertIds, combineWeights } = answer;
    return { batches: this.#batches, expertIds, combineWeights };
  }

  async finish(previous: readonly ExpertOutput[]): Promise<Float32Array> {
    const answer = await this.#finish(previous, undefined);
    assert(answer.kind === "all");
    return answer.logits;
  }

  async finishTop(previous: readonly ExpertOutput[], count: number): Promise<TopLogits> {
    assertTopCount(count, this.#context.model.vocabSize);
    const answer = await this.#finish(previous, count);
    assert(answer.kind === "top");
    const { tokenIds, logits } = answer;
    return { count, tokenIds, logits };
  }

  async #finish(
    previous: readonly ExpertOutput[],
    topCount: number | undefined,
  ): Promise<FinishAnswer> {
    const { model, stepId } = this.#context;
    assert.equal(this.#layersDone, model.numLayers, "finish follows the last layer");
    const replies = this.#takeReplies(previous);
    const call =
      this.#numLogitRows === 0
        ? ({ kind: "drop", stepId } as const)
        : ({ kind: "finish", stepId, replies, topCount } as const);
    const answer = (await this.#run(call)) as FinishAnswer | undefined;
    this.#state = "finished";
    if (answer !== undefined) return answer;
    const logits = new Float32Array(0);
    return topCount === undefined
      ? { kind: "all", logits }
      : { kind: "top", tokenIds: new Int32Array(0), logits };
  }

  /** The answers' rows as the device takes them, in ascending expert id. */
  #takeReplies(previous: readonly ExpertOutput[]): Uint8Array<ArrayBuffer> {
    const { model, weightDtype, checkOpen } = this.#context;
    checkOpen();
    assert.equal(this.#state, "ready", "one call at a time, and none after a failure or finish");
    const { hiddenSize } = model;
    const expected = { batches: this.#batches, weightDtype, hiddenSize };
    const outputs = validatePrevious(previous, expected).map(({ output }) => output);
    const rowBytes = deviceRowBytes(replyDtype(weightDtype), hiddenSize);
    const numRows = outputs.reduce((sum, { rows }) => sum + rows, 0);
    const replies = new Uint8Array(numRows * rowBytes);
    let at = 0;
    for (const output of outputs) {
      copyDeviceRows(output, replies.subarray(at, at + output.rows * rowBytes));
      at += output.rows * rowBytes;
    }
    return replies;
  }

  async #run(call: AttentionCall): Promise<unknown> {
    this.#state = "running";
    try {
      const answer = await this.#context.call(call);
      this.#state = "ready";
      return answer;
    } catch (error) {
      this.#state = "broken";
      throw error;
    }
  }

  #batchesOf({ rows, tokenIndex, batchStart }: LayerAnswer): ExpertBatch[] {
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
      const input: ActivationRows = { dtype, rows: end - first, width, data };
      const expertId = toExpertId(expert, model.numExperts);
      batches.push({ expertId, input, tokenIndex: tokenIndex.subarray(first, end) });
    }
    return batches;
  }
}

function logitRows({ tokenIds, logits }: StepSequence): number {
  if (logits === "all") return tokenIds.length;
  return logits === "last" ? 1 : 0;
}

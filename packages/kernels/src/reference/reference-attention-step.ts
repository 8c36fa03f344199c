// One batch of sequences on its way through the layers, as plainly as it can be written.
import assert from "node:assert/strict";
import { dispatchDtype, type ModelConfig, type WeightDtype } from "@octet/core";
import type {
  AttentionStep,
  ExpertOutput,
  LayerDispatch,
  StepSequence,
  TopLogits,
} from "../attention-engine.ts";
import { KernelError } from "../kernel-error.ts";
import { assertTopCount, selectTopLogits } from "../top-logits.ts";
import { validatePrevious } from "../validate-previous.ts";
import { attention } from "./attention.ts";
import type { AttentionWeights, LayerWeights } from "./attention-weights.ts";
import { combine } from "./combine.ts";
import { dispatch } from "./dispatch.ts";
import type { KvPool } from "./kv-pool.ts";
import { project } from "./matrix.ts";
import { rmsNorm } from "./rms-norm.ts";
import { rope, ropeFrequencies } from "./rope.ts";
import { selectExperts } from "./select-experts.ts";

/** What a step uses of the engine that opened it. */
export interface StepContext {
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  readonly weights: AttentionWeights;
  /** One pool a layer. */
  readonly kvPools: readonly KvPool[];
  /** @throws {KernelError} "closed" once the engine is */
  checkOpen(): void;
}

/** The residual stream of one step, [T, H] f32, and how far it has come. */
export class ReferenceAttentionStep implements AttentionStep {
  readonly numTokens: number;
  readonly #context: StepContext;
  readonly #sequences: readonly StepSequence[];
  readonly #residual: Float32Array;
  #layersDone = 0;
  #lastDispatch: LayerDispatch | undefined;
  #finished = false;

  constructor(context: StepContext, sequences: readonly StepSequence[]) {
    this.#context = context;
    this.#sequences = sequences;
    this.numTokens = sequences.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
    const { hiddenSize: H } = context.model;
    this.#residual = new Float32Array(this.numTokens * H);
    const row = new Float64Array(H);
    sequences
      .flatMap(({ tokenIds }) => [...tokenIds])
      .forEach((tokenId, token) => {
        context.weights.embedding.row(tokenId, row);
        this.#residual.set(row, token * H);
      });
  }

  async runLayer(layer: number, previous: readonly ExpertOutput[]): Promise<LayerDispatch> {
    const { model, weightDtype, weights } = this.#context;
    assert(layer < model.numLayers, `layer ${layer} of ${model.numLayers}`);
    assert.equal(layer, this.#layersDone, "layers run in order, each once");
    this.#combinePrevious(previous);
    this.#layersDone += 1; // now, so that a failed layer is never run again on the changed residual
    const layerWeights = weights.layers[layer]!;
    addInto(this.#residual, this.#attend(layer, layerWeights));
    const hidden = rmsNorm(this.#residual, layerWeights.postAttentionNorm, model.rmsNormEps);
    const gateLogits = project(hidden, layerWeights.gate, "f32");
    if (!gateLogits.every(Number.isFinite)) {
      throw new KernelError("non-finite", `layer ${layer}: the gate's logits hold NaN or infinity`);
    }
    const selection = selectExperts(gateLogits, model);
    const batches = dispatch(hidden, selection.expertIds, {
      hiddenSize: model.hiddenSize,
      numExperts: model.numExperts,
      dtype: dispatchDtype(weightDtype),
    });
    this.#lastDispatch = { batches, ...selection };
    return this.#lastDispatch;
  }

  async finish(previous: readonly ExpertOutput[]): Promise<Float32Array> {
    const { model, weightDtype, weights } = this.#context;
    assert.equal(this.#layersDone, model.numLayers, "finish follows the last layer");
    assert(!this.#finished, "a step finishes once");
    this.#combinePrevious(previous);
    this.#finished = true;
    const { hiddenSize: H } = model;
    const rows = this.#logitRows().flatMap((row) => [
      ...this.#residual.subarray(row * H, (row + 1) * H),
    ]);
    const hidden = rmsNorm(Float32Array.from(rows), weights.finalNorm, model.rmsNormEps);
    const logits = project(hidden, weights.lmHead, weightDtype);
    if (!logits.every(Number.isFinite)) {
      throw new KernelError("non-finite", "the logits hold NaN or infinity");
    }
    return logits;
  }

  async finishTop(previous: readonly ExpertOutput[], count: number): Promise<TopLogits> {
    const { vocabSize } = this.#context.model;
    assertTopCount(count, vocabSize);
    return selectTopLogits(await this.finish(previous), { count, vocabSize });
  }

  #combinePrevious(previous: readonly ExpertOutput[]): void {
    const { model, weightDtype, checkOpen } = this.#context;
    checkOpen();
    const { hiddenSize } = model;
    const layer = this.#lastDispatch;
    const batches = layer?.batches ?? [];
    const outputs = validatePrevious(previous, { batches, weightDtype, hiddenSize });
    if (layer === undefined) return;
    const { numTokens } = this;
    addInto(this.#residual, combine(layer, outputs, { numTokens, hiddenSize }));
  }

  /** Norm, projections, RoPE, KV write, attention and output projection: [T, H] f32. */
  #attend(layer: number, weights: LayerWeights): Float32Array {
    const { model, weightDtype } = this.#context;
    const normed = rmsNorm(this.#residual, weights.inputNorm, model.rmsNormEps);
    const projected = {
      queries: project(normed, weights.query, weightDtype),
      keys: project(normed, weights.key, weightDtype),
      values: project(normed, weights.value, weightDtype),
    };
    const attended = new Float32Array(projected.queries.length);
    const queryWidth = model.numAttentionHeads * model.headDim;
    let firstToken = 0;
    for (const sequence of this.#sequences) {
      const out = this.#attendSequence(layer, sequence, firstToken, projected);
      attended.set(out, firstToken * queryWidth);
      firstToken += sequence.tokenIds.length;
    }
    return project(attended, weights.output, weightDtype);
  }

  #attendSequence(
    layer: number,
    { tokenIds, startPosition, blockTable }: StepSequence,
    firstToken: number,
    projected: { queries: Float32Array; keys: Float32Array; values: Float32Array },
  ): Float32Array {
    const { model, kvPools } = this.#context;
    const { headDim, numAttentionHeads, numKeyValueHeads, slidingWindow } = model;
    const pool = kvPools[layer]!;
    const frequencies = ropeFrequencies(headDim, model.ropeTheta);
    const row = (of: Float32Array, token: number, width: number) =>
      of.subarray(token * width, (token + 1) * width);
    for (let i = 0; i < tokenIds.length; i++) {
      const position = startPosition + i;
      const token = firstToken + i;
      rope(row(projected.queries, token, numAttentionHeads * headDim), position, frequencies);
      const key = row(projected.keys, token, numKeyValueHeads * headDim);
      rope(key, position, frequencies);
      const value = row(projected.values, token, numKeyValueHeads * headDim);
      pool.write(blockTable, position, { key, value });
    }
    const queryWidth = numAttentionHeads * headDim;
    const end = firstToken + tokenIds.length;
    return attention({
      queries: projected.queries.subarray(firstToken * queryWidth, end * queryWidth),
      ...pool.read(blockTable, startPosition + tokenIds.length),
      startPosition,
      numAttentionHeads,
      numKeyValueHeads,
      headDim,
      slidingWindow,
    });
  }

  /** The rows of [T, H] whose logits were asked for. */
  #logitRows(): number[] {
    let first = 0;
    return this.#sequences.flatMap(({ tokenIds, logits }) => {
      const rows = Array.from(tokenIds.keys(), (i) => first + i);
      first += tokenIds.length;
      if (logits === "all") return rows;
      return logits === "last" ? rows.slice(-1) : [];
    });
  }
}

function addInto(sum: Float32Array, term: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += term[i]!;
}

// The other side of the compute seam: what the coordinator needs of a device.
import type {
  ActivationRows,
  BlockId,
  ExpertId,
  ModelConfig,
  WeightDtype,
  WeightFile,
} from "@octet/core";
import type { EngineKind } from "./expert-engine.ts";

/** What an attention engine is opened with. */
export interface AttentionEngineOptions {
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  /** The coordinator's shard: everything that is not an expert. */
  readonly weights: WeightFile;
  /** KV blocks to allocate. */
  readonly numBlocks: number;
  readonly blockSizeTokens: number;
  /** Compute threads, at least 1; engines without threads of their own ignore it. */
  readonly threads: number;
}

/** One sequence's part in a step: tokens that follow what its KV blocks already hold. */
export interface StepSequence {
  /** [t] token ids, t >= 1: a chunk of the prompt, or the one token sampled last. */
  readonly tokenIds: Int32Array;
  /** Position of tokenIds[0]; positions before it are in the KV blocks already. */
  readonly startPosition: number;
  /** The sequence's blocks in order, covering positions 0 .. startPosition + t - 1. */
  readonly blockTable: readonly BlockId[];
  /** Which of its tokens need logits. */
  readonly logits: "none" | "last" | "all";
}

/** What one expert receives, and where each of its rows goes back to. */
export interface ExpertBatch {
  readonly expertId: ExpertId;
  /** [t, H] in dispatchDtype(weightDtype). Valid until the step's next call. */
  readonly input: ActivationRows;
  /** [t]: row in the step's [T, H], ascending. */
  readonly tokenIndex: Int32Array;
}

/** What one layer asks of the experts. */
export interface LayerDispatch {
  /** One batch for each expert that some token chose, in ascending expert id. */
  readonly batches: readonly ExpertBatch[];
  /** [T, K]: each token's experts by falling gate logit, ties to the lower id. */
  readonly expertIds: Int32Array;
  /** [T, K]: softmax over those K logits; each row sums to 1. */
  readonly combineWeights: Float32Array;
}

/** One expert's answer to an {@link ExpertBatch}: the same rows in the same order. */
export interface ExpertOutput {
  readonly expertId: ExpertId;
  /** [t, H] in replyDtype(weightDtype). */
  readonly output: ActivationRows;
}

/** Most logits of a row that {@link AttentionStep.finishTop} returns. */
export const topLogitsMax = 64;

/** The largest logits of n rows, instead of all of them. */
export interface TopLogits {
  /** Of each row: 1 .. min(topLogitsMax, V). */
  readonly count: number;
  /** [n, count]: token ids by falling logit, ties to the lower id. */
  readonly tokenIds: Int32Array;
  /** [n, count] f32: their logits; a zero may have lost its sign. */
  readonly logits: Float32Array;
}

/**
 * A batch of sequences on its way through the layers. T is the tokens of all its sequences, in
 * the order given. Layers run in order, 0 .. L - 1, then `finish`; one call at a time.
 *
 * A step may be abandoned after any call: KV written by it is written again, with the same bits,
 * when the same tokens are given to a new step.
 */
export interface AttentionStep {
  readonly numTokens: number;
  /**
   * One submission, one read-back: combine of the layer before (embedding for layer 0), residual,
   * norm, attention with KV write, residual, norm, gate, top-K, dispatch.
   *
   * The combine adds combineWeight × output in ascending expert id, in f32, whatever the order of
   * `previous`.
   *
   * @param previous for layer 0 none; else one output for each batch of the layer before
   * @throws {KernelError} "bad-shape" if an output is missing, double, or of the wrong shape;
   *   "non-finite" if the gate's logits hold NaN or infinity; "device-lost", after which the step
   *   is over and `ready` says when to compute its sequences from their first token; "closed"
   */
  runLayer(layer: number, previous: readonly ExpertOutput[]): Promise<LayerDispatch>;
  /**
   * Combine of the last layer, final norm and LM head.
   *
   * @returns [n, V] f32, the n rows that were asked for, in the step's order; freshly allocated
   * @throws {KernelError} "bad-shape" as in `runLayer`; "non-finite" if the logits hold NaN or
   *   infinity; "closed"
   */
  finish(previous: readonly ExpertOutput[]): Promise<Float32Array>;
  /**
   * As `finish`, but of each row only the `count` largest logits leave the device, for whoever
   * samples greedily or among the likeliest.
   *
   * @param count 1 .. min(topLogitsMax, V)
   * @throws {KernelError} as `finish` does
   */
  finishTop(previous: readonly ExpertOutput[], count: number): Promise<TopLogits>;
}

/** Everything that is not an expert: embedding, attention with its KV cache, gate, LM head. */
export interface AttentionEngine {
  readonly kind: EngineKind;
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  readonly numBlocks: number;
  readonly blockSizeTokens: number;
  /** What computes, for people: "cpu avx512, 2 threads". */
  readonly device: string;
  readonly weightBytes: number;
  readonly kvBytes: number;
  /**
   * Several steps may be open at once (micro-batches) if no KV block is in two of them.
   *
   * @throws {KernelError} "bad-shape" for a token outside the vocabulary, a block table that does
   *   not cover the positions, or a block outside the pool; "closed"
   */
  openStep(sequences: readonly StepSequence[]): AttentionStep;
  /**
   * Resolves when steps can be computed: at once, or when a lost device has been replaced. Whatever
   * was in the KV cache is gone then, and a step that builds on it is "device-lost". Engines whose
   * device cannot be lost have none.
   *
   * @throws {KernelError} "device-lost" if there will be no other device; "closed"
   */
  ready?(): Promise<void>;
  /** Waits for calls under way, then frees the device. Later calls reject with "closed". */
  close(): Promise<void>;
}

// The C++ addon's face in TypeScript. It trusts its caller: everything is checked before it.
import { createRequire } from "node:module";
import type { ModelConfig, SocketLoan, WeightDtype, WeightFile } from "@octet/core";
import { KernelError } from "../kernel-error.ts";

/** A build of the kernels for one instruction set; all give the same bits. */
export type CpuIsa = "avx512" | "avx2" | "neon" | "portable";

/** A file of weights. */
type NativeFile = Pick<WeightFile, "path" | "sizeBytes">;

interface NativeCompute {
  readonly isa: CpuIsa;
  readonly threads: number;
  readonly format: WeightDtype;
}

/** Runs calls in order on threads of its own; rejects with an Error that may have a `code`. */
export interface NativeExpertEngine {
  /** Fills `output`; both arrays stay in use until the promise settles. */
  forward(expert: number, input: Uint8Array, rows: number, output: Uint8Array): Promise<void>;
  /** Resolves when the weights are in this process's map, so that the first call is no slower. */
  populate(): Promise<void>;
  /** After all calls. Nothing may be called after it. */
  close(): Promise<void>;
}

/** Answers calls on sockets, on a thread of its own. Must be closed before its engine. */
export interface NativeFastPath {
  /** @returns the loan's id. @throws {Error} with a `code`, if the socket cannot be duplicated */
  lend(loan: SocketLoan): number;
  /** @param atOnce whether to drop what is not sent */
  askBack(id: number, atOnce: boolean): void;
  wasActive(id: number): boolean;
  /** Four numbers for each call: expert, rows, µs queued, µs computed. */
  takeAnswered(): Float64Array;
  close(): void;
}

type OnSocketReturned = (
  id: number,
  unread: Buffer,
  receivedBytes: number,
  sentBytes: number,
  isBroken: boolean,
) => void;

type NativeFastPathOptions = Pick<NativeCompute, "format"> &
  Pick<ModelConfig, "hiddenSize" | "numLayers"> & {
    readonly rowsMax: number;
    readonly expertIds: readonly number[];
  };

type NativeExpertOptions = NativeCompute &
  Pick<ModelConfig, "hiddenSize" | "intermediateSize"> & {
    readonly files: readonly NativeFile[];
    /** tensor-offsets.ts, expertOffsets. */
    readonly offsets: Float64Array;
  };

/** A step inside the addon: opaque, freed with its last reference. */
export type NativeStep = object & { readonly nativeStep: unique symbol };

/** The sequences of a step, flattened: T tokens, n rows of logits. */
export interface NativeStepOptions {
  readonly tokenIds: Int32Array;
  readonly positions: Int32Array;
  /** [T]: index into blockTables. */
  readonly sequences: Int32Array;
  readonly blockTables: readonly Int32Array[];
  /** [n]: row in [T, H]. */
  readonly logitRows: Int32Array;
}

/** Where a layer's dispatch is written. */
export interface NativeDispatch {
  /** [T × K] rows in the dispatch dtype, batch after batch. */
  readonly rows: Uint8Array;
  /** [T × K] */
  readonly tokenIndex: Int32Array;
  /** [E + 1]: expert e's rows are batchStart[e] .. batchStart[e + 1] - 1. */
  readonly batchStart: Int32Array;
  readonly expertIds: Int32Array;
  readonly combineWeights: Float32Array;
}

/** By expert id: its rows in the reply dtype, undefined where it was not asked. */
export type NativeReplies = readonly (Uint8Array | undefined)[];

export interface NativeAttentionEngine {
  readonly kvBytes: number;
  openStep(options: NativeStepOptions): NativeStep;
  runLayer(
    step: NativeStep,
    layer: number,
    previous: NativeReplies,
    target: NativeDispatch,
  ): Promise<void>;
  finish(step: NativeStep, previous: NativeReplies, logits: Float32Array): Promise<void>;
  /** Resolves when the weights are in this process's map, so that the first call is no slower. */
  populate(): Promise<void>;
  close(): Promise<void>;
}

type NativeAttentionOptions = NativeCompute &
  NativeFile &
  Omit<
    ModelConfig,
    "intermediateSize" | "maxPositions" | "tieWordEmbeddings" | "bosTokenId" | "eosTokenIds"
  > & {
    /** tensor-offsets.ts, attentionOffsets. */
    readonly offsets: Float64Array;
    readonly embeddingFormat: WeightDtype;
    readonly numBlocks: number;
    readonly blockSizeTokens: number;
  };

interface NativeAddon {
  /** What this machine can run, fastest first. */
  isas(): CpuIsa[];
  readonly ExpertEngine: new (options: NativeExpertOptions) => NativeExpertEngine;
  readonly FastPath: new (
    engine: NativeExpertEngine,
    options: NativeFastPathOptions,
    onReturned: OnSocketReturned,
  ) => NativeFastPath;
  readonly AttentionEngine: new (options: NativeAttentionOptions) => NativeAttentionEngine;
}

const addonPath = "../../build/octet-kernels.node";

/** @throws {KernelError} "unsupported" if the addon has not been built or does not load here */
export function loadNativeAddon(): NativeAddon {
  try {
    return createRequire(import.meta.url)(addonPath) as NativeAddon;
  } catch (cause) {
    throw new KernelError(
      "unsupported",
      'the CPU kernels are not built for this machine; run "npm run build" in packages/kernels',
      { cause },
    );
  }
}

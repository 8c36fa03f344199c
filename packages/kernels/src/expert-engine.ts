// One side of the compute seam: what an expert-worker needs of a device.
import type {
  ActivationRows,
  ExpertId,
  ModelConfig,
  SocketBorrower,
  WeightDtype,
  WeightFile,
} from "@octet/core";

/** Which implementation computes. Output is bit-identical within a kind, never promised across. */
export type EngineKind = "reference" | "cpu" | "webgpu";

/** Rows for one expert of one layer. */
export interface ExpertCall {
  readonly layer: number;
  readonly expertId: ExpertId;
  /** [t, H] in dispatchDtype(weightDtype); the caller keeps ownership and leaves it unchanged. */
  readonly input: ActivationRows;
}

/** What an expert engine is opened with. */
export interface ExpertEngineOptions {
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  /**
   * Between them they hold w1, w3 [I, H] and w2 [H, I] of every expert in `expertIds`, for every
   * layer: one shard, or one for each expert. The first file with a tensor is the one it is read of.
   */
  readonly weights: readonly WeightFile[];
  readonly expertIds: readonly ExpertId[];
  /** Compute threads, at least 1; engines without threads of their own ignore it. */
  readonly threads: number;
}

/** A call that the fast path answered, with its times in ms. */
export interface AnsweredCall {
  readonly expertId: ExpertId;
  readonly rows: number;
  readonly queuedMs: number;
  readonly computedMs: number;
}

/**
 * Answers calls on the sockets they come from, without JavaScript in between. It gives a socket
 * back for anything but a call of its own kind: a failure, a cancel, whatever is malformed.
 */
export interface FastPath extends SocketBorrower {
  /** Most rows of a call that it answers. */
  readonly rowsMax: number;
  /** What it answered since this was last asked. */
  takeAnswered(): AnsweredCall[];
}

/**
 * The feed-forward of the experts it holds, unweighted: w2(silu(w1 x) * w3 x), row by row.
 *
 * A row's result never depends on the rows beside it, nor on the number of threads.
 * One call is one submission to the device and one read-back.
 */
export interface ExpertEngine {
  readonly kind: EngineKind;
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  readonly expertIds: readonly ExpertId[];
  /** What computes, for people: "cpu avx512, 2 threads". */
  readonly device: string;
  /** Bytes of weights it reads from. */
  readonly weightBytes: number;
  /**
   * Calls run in the order they were made, off the event loop.
   *
   * @returns [t, H] in replyDtype(weightDtype), freshly allocated
   * @throws {KernelError} "not-held" for an expert or layer it has not; "bad-shape" for rows of
   *   another dtype or width; "non-finite" if the result holds NaN or infinity; "device-lost",
   *   which may be retried; "closed"
   */
  forward(call: ExpertCall): Promise<ActivationRows>;
  /** If the engine has one: for those who serve it, and not needed. */
  readonly fastPath?: FastPath | undefined;
  /** Waits for calls under way, then frees the device. Later calls reject with "closed". */
  close(): Promise<void>;
}

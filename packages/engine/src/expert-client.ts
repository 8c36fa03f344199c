// How the forward pass reaches experts, wherever they run. `cluster` implements it.
import type { ActivationRows, ExpertId } from "@octet/core";

/** Why an expert call failed; "device-lost" if the worker's device was not back in time. */
export type ExpertCallCode =
  | "unavailable"
  | "device-lost"
  | "deadline-exceeded"
  | "cancelled"
  | "not-held"
  | "bad-shape"
  | "non-finite"
  | "internal";

/** An expert call that failed in a way the coordinator is expected to handle. */
export class ExpertCallError extends Error {
  override readonly name = "ExpertCallError";
  readonly code: ExpertCallCode;
  readonly expertId: ExpertId;
  readonly layer: number;
  constructor(
    code: ExpertCallCode,
    at: { expertId: ExpertId; layer: number; workerId?: string | undefined },
    why: { detail: string; cause?: unknown },
  ) {
    const worker = at.workerId === undefined ? "" : ` on ${at.workerId}`;
    super(`[${code}] expert ${at.expertId}${worker}, layer ${at.layer}: ${why.detail}`, {
      cause: why.cause,
    });
    this.code = code;
    this.expertId = at.expertId;
    this.layer = at.layer;
  }
}

/** Who answered, and how long it took by the worker's own clock. */
export interface ExpertReply {
  /** [t, H] in the model's reply dtype, rows in the order asked. */
  readonly output: ActivationRows;
  readonly workerId: string;
  /** Where it answered: "in-process" or "host:port". */
  readonly address: string;
  readonly queuedUs: number;
  readonly computedUs: number;
  /**
   * Gives the output's memory back; it is empty afterwards. To be called once, by whoever asked,
   * when nothing reads the output any more; without it, the collector does the same later.
   */
  release?(): void;
}

/** One expert's feed-forward, wherever it runs: gRPC in production, in-process on one machine. */
export interface ExpertClient {
  /**
   * @param input [t, H] in the model's dispatch dtype; the caller keeps ownership and leaves it
   *   unchanged until the promise settles
   * @param options.deadlineMs from now, positive; the call settles by then whatever the worker does
   * @param options.signal aborting it rejects with "cancelled" and tells the worker
   * @throws {ExpertCallError}
   */
  forward(
    call: { layer: number; expertId: ExpertId; input: ActivationRows },
    options: { deadlineMs: number; signal?: AbortSignal },
  ): Promise<ExpertReply>;
  /** Ends every stream; calls under way reject with "cancelled". */
  close(): Promise<void>;
}

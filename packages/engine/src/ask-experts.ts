// One layer's calls: all experts asked in parallel, every call settled before anything goes on.
import assert from "node:assert/strict";
import { type ExpertId, replyDtype, rowsPerCallMax, type WeightDtype } from "@octet/core";
import type { ExpertBatch, ExpertOutput } from "@octet/kernels";
import { ExpertCallError, type ExpertClient, type ExpertReply } from "./expert-client.ts";

/** How experts are asked during one step, and what its calls have cost so far. */
export interface AskContext {
  readonly experts: ExpertClient;
  /** Decides the dtype that replies must have. */
  readonly weightDtype: WeightDtype;
  readonly waits: ExpertWaits;
  /** Monotonic. */
  readonly nowMs: () => number;
  /** Aborted when no sequence of the step needs its calls any more. */
  readonly signal: AbortSignal;
}

/** One batch's answer. */
export type BatchReply =
  | { readonly kind: "answered"; readonly batch: ExpertBatch; readonly reply: ExpertReply }
  | { readonly kind: "failed"; readonly batch: ExpertBatch; readonly error: ExpertCallError };

/** How long a call to an expert may take. */
export interface ExpertPatience {
  /** Whatever is asked; at least 1. */
  readonly expertDeadlineMs: number;
  /** Besides, for each row of the call: a long prefill on a slow machine is not a failure. */
  readonly expertRowMs: number;
}

/**
 * How long each expert was waited for in vain during one step, its repetitions included. An expert
 * that hangs so costs the step its deadline once, not once for each sequence that needs it.
 */
export class ExpertWaits {
  readonly #patience: ExpertPatience;
  readonly #spentMs = new Map<ExpertId, number>();

  constructor(patience: ExpertPatience) {
    const { expertDeadlineMs, expertRowMs } = patience;
    assert(expertDeadlineMs > 0, `expert deadline of ${expertDeadlineMs} ms`);
    assert(expertRowMs >= 0, `${expertRowMs} ms a row`);
    this.#patience = patience;
  }

  /** Whole milliseconds, so that a rest of less is not a call of its own; may be negative. */
  remainingMs(expertId: ExpertId, rows: number): number {
    const { expertDeadlineMs, expertRowMs } = this.#patience;
    return Math.floor(expertDeadlineMs + rows * expertRowMs - (this.#spentMs.get(expertId) ?? 0));
  }

  spend(expertId: ExpertId, elapsedMs: number): void {
    this.#spentMs.set(expertId, (this.#spentMs.get(expertId) ?? 0) + elapsedMs);
  }
}

/** Asks each batch's expert; never rejects. Replies are in the batches' order, of checked shape. */
export function askExperts(
  layer: number,
  batches: readonly ExpertBatch[],
  context: AskContext,
): Promise<BatchReply[]> {
  return Promise.all(
    batches.map(async (batch): Promise<BatchReply> => {
      try {
        return { kind: "answered", batch, reply: await askExpert(layer, batch, context) };
      } catch (cause) {
        return { kind: "failed", batch, error: toExpertCallError(cause, layer, batch.expertId) };
      }
    }),
  );
}

/** The outputs of replies that were all answered, as the next layer takes them. */
export function outputsOf(replies: readonly BatchReply[]): ExpertOutput[] {
  return replies.map((result) => {
    assert(result.kind === "answered", `expert ${result.batch.expertId} did not answer`);
    return { expertId: result.batch.expertId, output: result.reply.output };
  });
}

async function askExpert(
  layer: number,
  { expertId, input }: ExpertBatch,
  { experts, weightDtype, waits, nowMs, signal }: AskContext,
): Promise<ExpertReply> {
  assert(input.rows <= rowsPerCallMax, `${input.rows} rows in one call`);
  const deadlineMs = waits.remainingMs(expertId, input.rows);
  if (deadlineMs <= 0) {
    throw new ExpertCallError(
      "deadline-exceeded",
      { expertId, layer },
      { detail: "it already used up this step's time" },
    );
  }
  const startMs = nowMs();
  try {
    const reply = await experts.forward({ layer, expertId, input }, { deadlineMs, signal });
    checkShape(reply, { layer, expertId, rows: input.rows, width: input.width, weightDtype });
    return reply;
  } catch (error) {
    waits.spend(expertId, nowMs() - startMs);
    throw error;
  }
}

/** A worker is another process: what it answers is checked, not trusted. */
function checkShape(
  { output, workerId }: ExpertReply,
  want: {
    layer: number;
    expertId: ExpertId;
    rows: number;
    width: number;
    weightDtype: WeightDtype;
  },
): void {
  const dtype = replyDtype(want.weightDtype);
  if (output.rows === want.rows && output.width === want.width && output.dtype === dtype) return;
  throw new ExpertCallError(
    "bad-shape",
    { expertId: want.expertId, layer: want.layer, workerId },
    {
      detail:
        `expected ${want.rows} rows of ${want.width} ${dtype}, ` +
        `found ${output.rows} of ${output.width} ${output.dtype}`,
    },
  );
}

function toExpertCallError(cause: unknown, layer: number, expertId: ExpertId): ExpertCallError {
  if (cause instanceof ExpertCallError) return cause;
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new ExpertCallError("internal", { expertId, layer }, { detail, cause });
}

// One step of the model: embed, per layer attention -> gate -> dispatch -> combine, logits.
import assert from "node:assert/strict";
import {
  type AttentionEngine,
  type AttentionStep,
  type ExpertOutput,
  KernelError,
  type StepSequence,
} from "@octet/kernels";
import {
  type AskContext,
  askExperts,
  type BatchReply,
  ExpertWaits,
  outputsOf,
} from "./ask-experts.ts";
import type { ExpertCallCode, ExpertClient } from "./expert-client.ts";
import type { ExpertUseLog } from "./expert-use.ts";
import { type RoutedExpertsLog, recordRouting } from "./routed-experts.ts";
import {
  type RowOwner,
  rowOwners,
  rowsOf,
  type SequenceLogits,
  splitLogits,
  splitTopLogits,
} from "./step-rows.ts";

/** A sequence's part in a step, and where its use of experts is written down, if anybody asked. */
export interface ForwardSequence extends StepSequence {
  /** Of each row it asked for, how many of the largest logits will do; undefined needs them all. */
  readonly topLogits: number | undefined;
  readonly expertUse: ExpertUseLog | undefined;
  /** Where its tokens' choices of experts are written down, if anybody asked. */
  readonly routedExperts: RoutedExpertsLog | undefined;
}

/** What a step did for one sequence. */
export type ForwardOutcome =
  /** Of the rows it asked for, at least what it needs; its KV blocks hold all its tokens now. */
  | { readonly kind: "computed"; readonly logits: SequenceLogits }
  /** An ExpertCallError or a KernelError, as a rule. */
  | { readonly kind: "failed"; readonly error: unknown };

/** What a step runs on. */
export interface ForwardContext {
  readonly attention: AttentionEngine;
  readonly experts: ExpertClient;
  /** Longest that one step waits for one expert in vain, over all its layers. */
  readonly expertDeadlineMs: number;
  /** Besides, for each row that it is asked for. */
  readonly expertRowMs: number;
  /** The step's sequences in parts that are computed side by side. Default: one of all. */
  readonly parts?: readonly (readonly ForwardSequence[])[] | undefined;
  /** Monotonic. */
  readonly nowMs: () => number;
  /** Aborted when no sequence of the step is wanted any more. */
  readonly signal: AbortSignal;
}

/**
 * Runs one step through all layers; never rejects for what an engine or an expert does.
 *
 * A failure is that of the sequences it belongs to. The others run again in a step without them:
 * the same tokens give the same bits, so nobody can tell. Where it is not known which of several
 * sequences made an engine or an expert fail, each of them runs alone.
 *
 * @param sequences at least 1; together at most rowsPerCallMax tokens
 * @returns one outcome for each sequence, in their order
 */
export async function runForward(
  sequences: readonly ForwardSequence[],
  context: ForwardContext,
): Promise<ForwardOutcome[]> {
  const { attention, experts, nowMs, signal } = context;
  const ask: AskContext = {
    experts,
    weightDtype: attention.weightDtype,
    waits: new ExpertWaits(context),
    nowMs,
    signal,
  };
  const outcomes = new Map<ForwardSequence, ForwardOutcome>();
  /** Computes a group; returns what has to be computed again. */
  const run = async (group: readonly ForwardSequence[]) => {
    const result = signal.aborted
      ? failureOf(group, signal.reason, false)
      : await runOnce(group, attention, ask);
    if (result.kind === "computed") {
      group.forEach((sequence, i) => {
        outcomes.set(sequence, { kind: "computed", logits: result.logits[i]! });
      });
      return [];
    }
    return regroup(group, result.failures, outcomes);
  };
  const parts = context.parts ?? [sequences];
  const again = (await Promise.all(parts.map(run))).flat();
  for (let group = again.shift(); group !== undefined; group = again.shift()) {
    again.push(...(await run(group)));
  }
  return sequences.map((sequence) => {
    const outcome = outcomes.get(sequence);
    assert(outcome !== undefined, "a sequence of the step has no outcome");
    return outcome;
  });
}

interface Failure {
  readonly error: unknown;
  readonly sequences: readonly ForwardSequence[];
  /** Whether one of several sequences may have caused it, at the others' cost. */
  readonly mayBeOneAlone: boolean;
}

type StepResult =
  /** For each sequence. */
  | { readonly kind: "computed"; readonly logits: readonly SequenceLogits[] }
  | { readonly kind: "failed"; readonly failures: readonly Failure[] };

async function runOnce(
  group: readonly ForwardSequence[],
  attention: AttentionEngine,
  ask: AskContext,
): Promise<StepResult> {
  try {
    const step = attention.openStep(group);
    const owners = rowOwners(group);
    let replies: readonly BatchReply[] = [];
    for (let layer = 0; layer < attention.model.numLayers; layer++) {
      // What can wait is done while others compute: everything else waits for this loop.
      const computing = step.runLayer(layer, outputsOf(replies));
      recordUse(replies, owners);
      const { batches, expertIds } = await computing;
      const asking = askExperts(layer, batches, ask);
      const { numExpertsPerToken } = attention.model;
      recordRouting(group, layer, { expertIds, numExpertsPerToken });
      releaseAll(replies);
      replies = await asking;
      const failures = replies.flatMap((result) => toFailure(result, owners));
      if (failures.length > 0) {
        recordUse(replies, owners);
        return { kind: "failed", failures };
      }
    }
    const finishing = finishStep(step, outputsOf(replies), group, attention.model.vocabSize);
    recordUse(replies, owners);
    const logits = await finishing;
    releaseAll(replies);
    return { kind: "computed", logits };
  } catch (error) {
    const isClosed = error instanceof KernelError && error.code === "closed";
    return failureOf(group, error, !isClosed);
  }
}

/** All logits only if some sequence needs them all: a device may be far from its host. */
async function finishStep(
  step: AttentionStep,
  previous: readonly ExpertOutput[],
  group: readonly ForwardSequence[],
  vocabSize: number,
): Promise<SequenceLogits[]> {
  let count = 1;
  for (const { logits, topLogits } of group) {
    if (logits === "none") continue;
    if (topLogits === undefined) {
      return splitLogits(group, await step.finish(previous), vocabSize);
    }
    count = Math.max(count, topLogits);
  }
  return splitTopLogits(group, await step.finishTop(previous, count));
}

/** What was combined is read by nobody any more. */
function releaseAll(replies: readonly BatchReply[]): void {
  for (const result of replies) if (result.kind === "answered") result.reply.release?.();
}

function failureOf(
  sequences: readonly ForwardSequence[],
  error: unknown,
  mayBeOneAlone: boolean,
): StepResult {
  return { kind: "failed", failures: [{ error, sequences, mayBeOneAlone }] };
}

function toFailure(result: BatchReply, owners: readonly RowOwner<ForwardSequence>[]): Failure[] {
  if (result.kind === "answered") return [];
  const sequences = [...rowsOf(result.batch, owners).keys()];
  return [{ error: result.error, sequences, mayBeOneAlone: mayBeTheRows(result.error.code) }];
}

/** Whether a call may have failed for what one row holds rather than for who was asked. */
function mayBeTheRows(code: ExpertCallCode): boolean {
  switch (code) {
    case "bad-shape":
    case "non-finite":
    case "internal":
      return true;
    case "unavailable":
    case "device-lost":
    case "deadline-exceeded":
    case "cancelled":
    case "not-held":
      return false;
  }
}

/** Writes down the outcome of sequences that failed; returns the groups to run next. */
function regroup(
  group: readonly ForwardSequence[],
  failures: readonly Failure[],
  outcomes: Map<ForwardSequence, ForwardOutcome>,
): (readonly ForwardSequence[])[] {
  const suspects = new Set<ForwardSequence>();
  for (const { error, sequences, mayBeOneAlone } of failures) {
    for (const sequence of sequences) {
      if (mayBeOneAlone && sequences.length > 1) suspects.add(sequence);
      else if (!outcomes.has(sequence)) outcomes.set(sequence, { kind: "failed", error });
    }
  }
  const left = group.filter((sequence) => !outcomes.has(sequence));
  const alone = left.filter((sequence) => suspects.has(sequence)).map((sequence) => [sequence]);
  const together = left.filter((sequence) => !suspects.has(sequence));
  return together.length > 0 ? [together, ...alone] : alone;
}

function recordUse(
  replies: readonly BatchReply[],
  owners: readonly RowOwner<ForwardSequence>[],
): void {
  if (owners.every(({ sequence }) => sequence.expertUse === undefined)) return;
  for (const result of replies) {
    if (result.kind === "failed") continue;
    for (const [sequence, rows] of rowsOf(result.batch, owners)) {
      sequence.expertUse?.add(result.batch.expertId, result.reply, rows);
    }
  }
}

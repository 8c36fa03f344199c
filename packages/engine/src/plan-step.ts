// Which sequences take part in the next step, and with how many tokens.
import assert from "node:assert/strict";

/** A sequence as the plan sees it. */
export interface PlannableSequence {
  /** Tokens that are known but not yet in the KV cache, at least 1. */
  readonly pendingTokens: number;
  /** Decode: the prompt is in the KV cache, and the one pending token was sampled last. */
  readonly phase: "prefill" | "decode";
}

/** One sequence's share of a step. */
export interface PlannedChunk<S extends PlannableSequence> {
  readonly sequence: S;
  /** 1 .. pendingTokens */
  readonly numTokens: number;
}

/**
 * Decodes first, one token each, then chunks of prefill in the order given, while the budget lasts.
 *
 * With at most `stepTokensMax` sequences nobody starves: every decode is in every step, and the
 * first prefill gets at least one token, so those behind it come first in the end.
 *
 * No clock, no socket, no randomness: the same sequences give the same plan.
 *
 * @param sequences first come, first served; at most stepTokensMax
 * @param stepTokensMax most tokens in one step, and so most rows in one expert call
 * @returns decodes, then prefills, each in the order given
 */
export function planStep<S extends PlannableSequence>(
  sequences: readonly S[],
  stepTokensMax: number,
): PlannedChunk<S>[] {
  assert(Number.isInteger(stepTokensMax) && stepTokensMax > 0, `budget of ${stepTokensMax}`);
  assert(
    sequences.length <= stepTokensMax,
    `${sequences.length} sequences for ${stepTokensMax} tokens`,
  );
  const plan: PlannedChunk<S>[] = [];
  let budgetTokens = stepTokensMax;
  for (const sequence of sequences) {
    if (sequence.phase !== "decode") continue;
    assert.equal(sequence.pendingTokens, 1, "a decode has one pending token");
    plan.push({ sequence, numTokens: 1 });
    budgetTokens -= 1;
  }
  for (const sequence of sequences) {
    if (sequence.phase !== "prefill") continue;
    if (budgetTokens === 0) break;
    assert(sequence.pendingTokens > 0, "a prefill has a pending token");
    const numTokens = Math.min(sequence.pendingTokens, budgetTokens);
    plan.push({ sequence, numTokens });
    budgetTokens -= numTokens;
  }
  return plan;
}

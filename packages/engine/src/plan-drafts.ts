// Which sequences have guesses checked in a step, and how many: as many as make it quicker.
import type { PlannableSequence, PlannedChunk } from "./plan-step.ts";

/** How much of a sequence is in a step. */
export interface ChunkSize {
  /** Of the tokens that are known, at least 1. */
  readonly numTokens: number;
  /** Of the tokens that it guesses after them; only if none that is known is left. */
  readonly numDrafts: number;
}

/** One sequence's share of a step. */
export interface StepChunk<S extends PlannableSequence> extends ChunkSize {
  readonly sequence: S;
}

/** Tokens that a sequence has a guess for. */
export interface DraftOffer {
  readonly numTokens: number;
  /** That one is right if all before it are, 0 .. 1. */
  readonly odds: number;
}

/** What decides about a step's guesses. */
export interface DraftTerms<S extends PlannableSequence> {
  /** Most rows of a step with guesses. */
  readonly rowsMax: number;
  /** A step's time by its rows, in any unit, above 0; undefined of those not known. */
  readonly costOf: (numRows: number) => number | undefined;
  /** What a decode offers, given that it may have checked so many. */
  readonly offerOf: (sequence: S, countMax: number) => DraftOffer;
}

/** Guesses less likely than this are not worth what they cost others, whatever it is. */
const oddsMin = 0.1;

/**
 * Adds guesses to a step's decodes, the likeliest first, as many as give most tokens for its time.
 *
 * No clock, no socket, no randomness: the same plan, offers and costs give the same drafts.
 *
 * @param plan decodes and prefills, which stay as they are
 */
export function planDrafts<S extends PlannableSequence>(
  plan: readonly PlannedChunk<S>[],
  { rowsMax, costOf, offerOf }: DraftTerms<S>,
): StepChunk<S>[] {
  const numRows = plan.reduce((sum, { numTokens }) => sum + numTokens, 0);
  const numTokens = plan.filter((c) => c.numTokens === c.sequence.pendingTokens).length;
  const spareRows = Math.max(0, rowsMax - numRows);
  const offers = plan.map(({ sequence }) =>
    spareRows > 0 && sequence.phase === "decode" ? offerOf(sequence, spareRows) : none,
  );
  const likeliest = rankDrafts(offers).slice(0, spareRows);
  const count = countWorthwhile(likeliest, { numRows, numTokens, costOf });
  const numDrafts = plan.map(() => 0);
  for (const { from } of likeliest.slice(0, count)) numDrafts[from]! += 1;
  return plan.map((chunk, i) => ({ ...chunk, numDrafts: numDrafts[i]! }));
}

const none: DraftOffer = { numTokens: 0, odds: 0 };

/** One guessed token: whose, by their place in the plan, and how likely it is to be kept. */
interface Draft {
  readonly from: number;
  readonly depth: number;
  readonly odds: number;
}

/** Of all guesses those that may be worth it, likeliest first, the even spread over sequences. */
function rankDrafts(offers: readonly DraftOffer[]): Draft[] {
  const drafts = offers.flatMap(({ numTokens, odds }, from) =>
    Array.from({ length: numTokens }, (_, i) => ({ from, depth: i + 1, odds: odds ** (i + 1) })),
  );
  return drafts
    .filter(({ odds }) => odds >= oddsMin)
    .sort((a, b) => b.odds - a.odds || a.depth - b.depth || a.from - b.from);
}

/** How many of the likeliest give most tokens in a step's time; none while that is not known. */
function countWorthwhile(
  likeliest: readonly Draft[],
  step: { numRows: number; numTokens: number; costOf: DraftTerms<never>["costOf"] },
): number {
  let best = { count: 0, tokens: step.numTokens, cost: step.costOf(step.numRows) };
  let { tokens } = best;
  for (const [i, { odds }] of likeliest.entries()) {
    tokens += odds;
    const cost = step.costOf(step.numRows + i + 1);
    if (cost === undefined || best.cost === undefined) break;
    if (tokens * best.cost > best.tokens * cost) best = { count: i + 1, tokens, cost };
  }
  return best.count;
}

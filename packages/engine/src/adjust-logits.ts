// Logits as a request wants them changed: penalties, biases, and which tokens may come at all.
import { EngineError } from "./engine-error.ts";
import type { SamplingParams } from "./sampling-params.ts";
import type { TokenCounts } from "./token-counts.ts";

/** The largest finite f32: what an adjusted logit is cut to. */
const logitMax = (2 - 2 ** -23) * 2 ** 127;

/** Logits of some tokens. */
export interface Candidates {
  /** [n], finite. */
  readonly logits: Float32Array;
  /** [n], rising: whose logits they are; undefined if of all tokens, by id. */
  readonly tokenIds: Uint32Array | undefined;
}

/** What adjusts one row. */
export interface Adjustment {
  readonly params: SamplingParams;
  /** Of the prompt and the answer so far; unset if no penalty asks for it. */
  readonly counts: TokenCounts | undefined;
  /** Tokens that may not come now. */
  readonly barred: ReadonlySet<number>;
  /** As a TokenMask's; undefined lets all through. */
  readonly mask: Uint32Array | undefined;
}

/** Memory for one row, used again for each: logits handed out are valid until the next row. */
export class AdjustScratch {
  readonly logits: Float32Array;
  readonly tokenIds: Uint32Array;

  /** @param vocabSize V */
  constructor(vocabSize: number) {
    this.logits = new Float32Array(vocabSize);
    this.tokenIds = new Uint32Array(vocabSize);
  }
}

/** Whether some answer's logits may differ from the model's. */
export function hasPenalties(params: SamplingParams): boolean {
  const { repetitionPenalty, presencePenalty, frequencyPenalty } = params;
  return repetitionPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0;
}

/** Whether the parameters alone need all logits of a row, to change them or to leave some out. */
export function adjustsLogits(params: SamplingParams): boolean {
  if (hasPenalties(params) || params.logitBias.size > 0) return true;
  return params.allowedTokenIds !== undefined || params.badWords.length > 0;
}

/**
 * The logits to sample from, in the order in which vLLM applies what was asked for: only allowed
 * tokens, of those the mask's, none that are barred; plus the bias; the repetition penalty on every
 * token of prompt and answer (a positive logit is divided by it, another multiplied); minus the
 * frequency penalty for each time the token is in the answer; minus the presence penalty if it is.
 * Each in f32, cut to what is finite. A token left out is not a candidate, and so has no share in
 * anything later.
 *
 * @param raw [V], finite; not changed, and handed out as it is if nothing was asked for
 * @param scratch lends its memory to the result
 * @throws {EngineError} if no token is left, even of those that are barred: "invalid-argument" if the
 *   request allows only some, else "constraint-failed"
 * @see vllm 3e34265, vllm/v1/sample/sampler.py, Sampler.forward; the order of the parts makes no
 *   difference between those that leave out and those that change
 */
export function adjustLogits(
  raw: Float32Array,
  { params, counts, barred, mask }: Adjustment,
  scratch: AdjustScratch,
): Candidates {
  const allowed = params.allowedTokenIds;
  const leavesOut = allowed !== undefined || barred.size > 0 || mask !== undefined;
  if (!leavesOut && !adjustsLogits(params)) return { logits: raw, tokenIds: undefined };
  const { logits } = scratch;
  logits.set(raw);
  for (const [id, bias] of params.logitBias) logits[id] = finite(logits[id]! + bias);
  if (counts !== undefined) penalise(logits, counts, params);
  if (!leavesOut) return { logits, tokenIds: undefined };
  const numLeft = leaveOut({ allowed, mask, barred }, scratch);
  return { logits: logits.subarray(0, numLeft), tokenIds: scratch.tokenIds.subarray(0, numLeft) };
}

function penalise(logits: Float32Array, counts: TokenCounts, params: SamplingParams): void {
  const { repetitionPenalty, presencePenalty, frequencyPenalty } = params;
  if (repetitionPenalty !== 1) {
    for (const id of counts.seen) {
      const logit = logits[id]!;
      logits[id] = finite(logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty);
    }
  }
  for (const [id, count] of counts.inAnswer) {
    logits[id] = finite(logits[id]! - frequencyPenalty * count);
    logits[id] = finite(logits[id]! - presencePenalty);
  }
}

interface Permission {
  readonly allowed: Uint32Array | undefined;
  readonly mask: Uint32Array | undefined;
  readonly barred: ReadonlySet<number>;
}

/** Moves what may come to the front, and counts it: it never moves up, since ids rise. */
function leaveOut(permission: Permission, scratch: AdjustScratch): number {
  const { allowed, mask, barred } = permission;
  const { logits, tokenIds } = scratch;
  const numAllowed = allowed?.length ?? logits.length;
  let kept = 0;
  for (let i = 0; i < numAllowed; i++) {
    const id = allowed === undefined ? i : allowed[i]!;
    if (mask !== undefined && ((mask[id >>> 5]! >>> (id & 31)) & 1) === 0) continue;
    if (barred.has(id)) continue;
    tokenIds[kept] = id;
    logits[kept] = logits[id]!;
    kept += 1;
  }
  if (kept > 0) return kept;
  // A grammar that is done has the last word: the answer ends early.
  if (barred.size > 0) return leaveOut({ ...permission, barred: new Set() }, scratch);
  if (allowed === undefined) {
    throw new EngineError("constraint-failed", "the constraint lets no token through");
  }
  const detail = "allowedTokenIds: expected one that the constraint lets through here, found none";
  throw new EngineError("invalid-argument", detail, { field: "sampling.allowedTokenIds" });
}

function finite(logit: number): number {
  return Math.min(logitMax, Math.max(-logitMax, logit));
}

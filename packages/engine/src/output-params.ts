// What an answer carries besides its text, as asked, checked once.
import { logprobTokenIdsMax, topLogprobsMax } from "@octet/core";
import { EngineError } from "./engine-error.ts";
import { requireTokenId } from "./sampling-params.ts";

/** What to report besides text and token ids. */
export interface OutputRequest {
  /** Logprobs of each token of the answer, and of so many likeliest ones. Default: none at all. */
  readonly topLogprobs?: number | undefined;
  /** With topLogprobs 0: these tokens beside each, at most logprobTokenIdsMax. Default: none. */
  readonly logprobTokenIds?: readonly number[] | undefined;
  /**
   * The same of the prompt's tokens, as its chunks are computed: "prompt-logprobs" events. Every
   * chunk then has logits for all its tokens, stepTokensMax × V in memory at most. Default: none.
   */
  readonly promptTopLogprobs?: number | undefined;
  /** Which experts each token used, in the last event. Default false. */
  readonly routedExperts?: boolean | undefined;
  /** How far the prompt is, after each of its chunks: "progress" events. Default false. */
  readonly progress?: boolean | undefined;
}

/** @throws {EngineError} "invalid-argument", naming the field, its range and what was found */
export function resolveOutput(request: OutputRequest, vocabSize: number): OutputRequest {
  const { topLogprobs, promptTopLogprobs } = request;
  for (const [name, found] of Object.entries({ topLogprobs, promptTopLogprobs })) {
    if (found === undefined) continue;
    if (Number.isInteger(found) && found >= 0 && found <= topLogprobsMax) continue;
    const detail = `${name}: expected 0 .. ${topLogprobsMax}, found ${found}`;
    throw new EngineError("invalid-argument", detail, { field: `output.${name}` });
  }
  const { logprobTokenIds = [] } = request;
  if (logprobTokenIds.length > 0 && topLogprobs !== 0) {
    const detail = `logprobTokenIds: expected topLogprobs 0 beside it, found ${topLogprobs}`;
    throw new EngineError("invalid-argument", detail, { field: "output.logprobTokenIds" });
  }
  if (logprobTokenIds.length > logprobTokenIdsMax) {
    const found = logprobTokenIds.length;
    const detail = `logprobTokenIds: expected at most ${logprobTokenIdsMax}, found ${found}`;
    throw new EngineError("invalid-argument", detail, { field: "output.logprobTokenIds" });
  }
  for (const id of logprobTokenIds) requireTokenId("output.logprobTokenIds", id, vocabSize);
  return request;
}

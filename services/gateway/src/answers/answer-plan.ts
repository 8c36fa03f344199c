// What one HTTP request asks of a coordinator, and how its answer is to look.

import type { ShownOutput } from "../params/output.ts";
import type { Warning } from "../params/read-body.ts";
import type { StreamUsage } from "../params/stream-options.ts";
import type { AnswerCall, ModelUpstream } from "../upstream/model-upstream.ts";
import type { AnswerFormat } from "./answer-format.ts";

/** One prompt to answer. */
export interface AnswerRequest {
  readonly call: AnswerCall;
  /** Whether its first token begins a text, and loses the space that would separate it. */
  readonly beginsText: boolean;
  /** Put in front of the answer: a prompt or a prefix that is to be repeated. */
  readonly echo: string;
}

/** Everything that is decided before anything is computed. */
export interface AnswerPlan {
  /** "chatcmpl-..." or "cmpl-...". */
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
  readonly maxPositions: number;
  /** Longest answer asked for, in tokens; undefined is the rest of the context. */
  readonly maxTokens: number | undefined;
  readonly upstream: ModelUpstream;
  readonly requests: readonly AnswerRequest[];
  /** The parameter that a constraint came by, if there is one. */
  readonly constraintParam: string | undefined;
  /** To each request; the choices of the first come first. */
  readonly answersEach: number;
  readonly format: AnswerFormat;
  readonly stream: boolean;
  readonly streamUsage: StreamUsage;
  readonly shown: ShownOutput;
  readonly warnings: readonly Warning[];
}

/** How many choices there will be. */
export function countChoices({ requests, answersEach }: AnswerPlan): number {
  return requests.length * answersEach;
}

/** The members that every object of one answer has. */
export function envelopeOf(plan: AnswerPlan, object: string) {
  const { id, created, model } = plan;
  return { id, object, created, model };
}

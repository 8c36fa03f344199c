// What a sequence is made of: what its request asked for, resolved.
import type { SequenceId } from "@octet/core";
import type { Answer } from "./answer.ts";
import type { ConstraintFollower } from "./constraint-follower.ts";
import type { Drafter } from "./drafter.ts";
import type { EngineError } from "./engine-error.ts";
import type { EventStream } from "./event-stream.ts";
import type { ExpertUseLog } from "./expert-use.ts";
import type { PromptScore } from "./logprobs.ts";
import type { PrefixChain } from "./prefix-chain.ts";
import type { RoutedExpertsLog } from "./routed-experts.ts";
import type { TokenChooser } from "./token-chooser.ts";

/** What a sequence is made of. */
export interface SequenceParts {
  readonly id: SequenceId;
  /** Which of its request's answers it is; the first tells that they have started. */
  readonly index: number;
  /** At least 1: the prompt, and what of the answer came with the request. */
  readonly promptTokenIds: Int32Array;
  /** How many of them are the prompt's own. */
  readonly answerStart: number;
  readonly seed: bigint;
  readonly chooser: TokenChooser;
  readonly answer: Answer;
  readonly events: EventStream;
  readonly expertUse: ExpertUseLog | undefined;
  /** Each of the following is set if it was asked for. */
  readonly routedExperts: RoutedExpertsLog | undefined;
  readonly promptScore: PromptScore | undefined;
  readonly reportsProgress: boolean;
  /** Whether it ends with its prompt: nothing is to be said. */
  readonly saysNothing: boolean;
  /** V, the logits of a row. */
  readonly vocabSize: number;
  /** Digests of its blocks; undefined if it takes no part in the prefix cache. */
  readonly prefix: PrefixChain | undefined;
  readonly clientId: string;
  readonly priority: number;
  /** Opens its constraint, if it has one, and calls back whenever there is a mask. */
  readonly openConstraint: ((onSettled: () => void) => ConstraintFollower) | undefined;
  /** Guesses its next tokens; undefined if nobody should. */
  readonly drafter: Drafter | undefined;
  /** Positions whose keys and values it may need to keep: all but the last token's. */
  readonly reservedTokens: number;
  readonly submittedMs: number;
  readonly deadlineMs: number;
  /** Called once, when the sequence ends, with the error if it failed. */
  readonly onEnded: (error: EngineError | undefined) => void;
}

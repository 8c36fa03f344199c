// What goes between the coordinator's thread and one that runs grammars.
import type { ConstraintSpec } from "../constraint-spec.ts";

/** What a thread needs of the tokenizer and the limits, once. */
export interface ThreadSettings {
  readonly vocabSize: number;
  readonly stopTokenIds: readonly number[];
  /** What tokens spell, one after the other; token i ends at ends[i]. */
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
  /** 1 for a token whose first byte may be the dummy prefix. */
  readonly takesPrefix: Uint8Array;
  readonly grammarBytesMax: number;
  readonly threadBytesMax: number;
  readonly cachedGrammarsMax: number;
  readonly cachedGrammarBytesMax: number;
}

/**
 * - compile: whether it can be, and no more
 * - open: a matcher at an answer's beginning
 * - advance: takes the token, unless it is the first, and fills the matcher's mask
 * - close: needs no reply
 */
export type ThreadRequest =
  | { readonly kind: "compile"; readonly digest: string; readonly spec: ConstraintSpec }
  | {
      readonly kind: "open";
      readonly digest: string;
      readonly spec: ConstraintSpec;
      readonly matcherId: number;
      readonly continuesText: boolean;
      readonly mask: SharedArrayBuffer;
    }
  | { readonly kind: "advance"; readonly matcherId: number; readonly tokenId: number | undefined }
  | { readonly kind: "close"; readonly matcherId: number };

/**
 * - refused: the caller's mistake; the thread is as good as before
 * - broken: the thread must be ended
 */
export type ThreadReply =
  | { readonly kind: "done"; readonly isComplete: boolean }
  | { readonly kind: "refused" | "broken"; readonly reason: string };

// What the attention engine that callers hold and its loaded side say to each other.
import type { AttentionEngineOptions } from "../attention-engine.ts";
import type { FlatDispatch } from "./group-by-expert.ts";
import type { PlainSequence } from "./step-tables.ts";

/** What crosses to the GPU thread of an attention engine's options. */
export type AttentionLoad = Omit<AttentionEngineOptions, "threads">;

/** One call. `replies` are rows as device-rows.ts says, batch after batch in ascending expert. */
export type AttentionCall =
  | {
      readonly kind: "layer";
      readonly stepId: number;
      readonly layer: number;
      /** What the step is made of, with its layer 0. */
      readonly sequences: readonly PlainSequence[] | undefined;
      readonly replies: Uint8Array<ArrayBuffer>;
    }
  | {
      readonly kind: "finish";
      readonly stepId: number;
      readonly replies: Uint8Array<ArrayBuffer>;
      /** How many logits of a row are wanted; undefined for all. */
      readonly topCount: number | undefined;
    }
  /** Nobody goes on with the step. */
  | { readonly kind: "drop"; readonly stepId: number }
  /** Answered if the device is there. */
  | { readonly kind: "ping" };

/** What a "layer" is answered. */
export type LayerAnswer = FlatDispatch;

/** What a "finish" is answered. */
export type FinishAnswer =
  /** [n, V] */
  | { readonly kind: "all"; readonly logits: Float32Array<ArrayBuffer> }
  /** [n, count] each */
  | {
      readonly kind: "top";
      readonly tokenIds: Int32Array<ArrayBuffer>;
      readonly logits: Float32Array<ArrayBuffer>;
    };

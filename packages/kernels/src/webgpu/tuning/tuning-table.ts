// Tuned choices by kernel and shape.
import type { ModelConfig, WeightDtype } from "@octet/core";
import type { AttentionShape } from "../attention-shape.ts";
import { defaultTuning, type MultiplyTuning } from "../multiply.ts";

/** What is tuned: a product x wᵀ, or an expert's w1 and w3 together, by w's dtype and shape. */
export interface TunedShape {
  readonly kernel: "multiply" | "expert-up";
  readonly dtype: WeightDtype;
  /** [outSize, inSize] */
  readonly shape: readonly [number, number];
}

/** Choices that were measured, and the defaults for everything else. */
export class TuningTable {
  readonly #choices: ReadonlyMap<string, MultiplyTuning>;

  constructor(choices: ReadonlyMap<string, MultiplyTuning> = new Map()) {
    this.#choices = choices;
  }

  /** The tuned choice, or the default. */
  of(shape: TunedShape): MultiplyTuning {
    return this.#choices.get(tuningKey(shape)) ?? defaultTuning;
  }

  has(shape: TunedShape): boolean {
    return this.#choices.has(tuningKey(shape));
  }
}

/** "multiply q4 4096x14336" */
export function tuningKey({ kernel, dtype, shape }: TunedShape): string {
  return `${kernel} ${dtype} ${shape.join("x")}`;
}

/** What an expert engine computes: up to the intermediate size, and down again. */
export function expertShapes(
  { hiddenSize: H, intermediateSize: I }: Pick<ModelConfig, "hiddenSize" | "intermediateSize">,
  dtype: WeightDtype,
): { readonly up: TunedShape; readonly down: TunedShape } {
  return {
    up: { kernel: "expert-up", dtype, shape: [I, H] },
    down: { kernel: "multiply", dtype, shape: [H, I] },
  };
}

/** What an attention engine multiplies with: to queries, keys and values; back; and to logits. */
export function attentionShapes({
  model,
  weightDtype: dtype,
  projectedSize,
  queryWidth,
}: AttentionShape): Readonly<Record<"projection" | "output" | "lmHead", TunedShape>> {
  const { hiddenSize: H, vocabSize } = model;
  const product = (shape: TunedShape["shape"]): TunedShape => ({
    kernel: "multiply",
    dtype,
    shape,
  });
  return {
    projection: product([projectedSize, H]),
    output: product([H, queryWidth]),
    lmHead: product([vocabSize, H]),
  };
}

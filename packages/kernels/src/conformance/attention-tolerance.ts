import type { WeightDtype } from "@octet/core";

/** How far an engine may be from the reference, and why not less. */
export interface AttentionTolerance {
  /** Relative L2 of a layer's hidden states and of the logits. */
  readonly bound: number;
  /** Absolute difference of a combine weight. */
  readonly combineWeight: number;
  /** Gate logits closer than this, relative to the largest, may rank either way. */
  readonly gateMargin: number;
  readonly reason: string;
}

const quantised: AttentionTolerance = {
  bound: 5e-3,
  combineWeight: 5e-3,
  gateMargin: 1e-2,
  reason: "activations near a tie go to the other quant, in each layer's projections",
};

const exactRows: AttentionTolerance = {
  bound: 1e-5,
  combineWeight: 1e-5,
  gateMargin: 1e-4,
  reason: "f32 sums in another order",
};

/** q8 and q4 alike: engines agree on the weights, and part only where they round activations. */
export const attentionTolerance: Readonly<Record<WeightDtype, AttentionTolerance>> = {
  f32: exactRows,
  f16: exactRows,
  bf16: {
    bound: 2e-3,
    combineWeight: 2e-3,
    gateMargin: 4e-3,
    reason: "sums near a tie round to the other bf16 neighbour, in each layer's projections",
  },
  q8: quantised,
  q4: quantised,
};

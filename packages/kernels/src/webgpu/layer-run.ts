// What the dispatches of a layer are made from.
import type { BoundStep, Scratch } from "./attention-buffers.ts";
import type { AttentionKernels } from "./attention-kernels.ts";
import type { AttentionShape } from "./attention-shape.ts";
import type { GpuAttentionWeights } from "./attention-weights.ts";
import type { BindGroups } from "./device/bind-groups.ts";
import type { GrownBuffers } from "./grown-buffers.ts";
import type { StepTables } from "./step-tables.ts";

/** An engine on a device. */
export interface AttentionContext {
  readonly shape: AttentionShape;
  readonly weights: GpuAttentionWeights;
  readonly kernels: AttentionKernels;
  readonly groups: BindGroups;
  /** Scratch by name. */
  readonly buffers: GrownBuffers;
  readonly blockSizeTokens: number;
  /** Of chunk sums, before they are merged: a longer past takes several passes. */
  readonly passBytesMax: number;
}

/** What comes into the residual stream before a norm. */
export type NormInput =
  | { readonly kind: "embedding" }
  | { readonly kind: "replies"; readonly replies: GPUBuffer; readonly routes: GPUBuffer }
  | { readonly kind: "nothing" };

/** A step at one of its layers. */
export interface LayerRun {
  readonly tables: StepTables;
  readonly step: BoundStep;
  readonly scratch: Scratch;
  readonly input: NormInput;
}

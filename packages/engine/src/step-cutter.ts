// Cuts steps in halves as they should be, and counts them.
import type { StepSequence } from "@octet/kernels";
import {
  createHalvesPolicy,
  type HalvesPolicy,
  type MicroBatches,
  type StepSize,
} from "./halves-policy.ts";
import { halveStep } from "./micro-batches.ts";

/** A step in one part or two, which are computed side by side. */
export interface CutStep<S> {
  readonly parts: readonly (readonly S[])[];
  readonly size: StepSize;
}

/** Decides for one step after another. */
export class StepCutter {
  readonly #policy: HalvesPolicy;
  #steps = 0;
  #halvedSteps = 0;

  /** @param sequencesMin steps of fewer sequences stay whole */
  constructor(mode: MicroBatches, sequencesMin: number) {
    this.#policy = createHalvesPolicy(mode, sequencesMin);
  }

  /** Since the start. */
  get counts(): { readonly steps: number; readonly halvedSteps: number } {
    return { steps: this.#steps, halvedSteps: this.#halvedSteps };
  }

  cut<S extends StepSequence>(sequences: readonly S[]): CutStep<S> {
    const numTokens = sequences.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
    const size = { numSequences: sequences.length, numTokens };
    const isHalved = this.#policy.choose(size) === 2;
    return { parts: isHalved ? halveStep(sequences) : [sequences], size };
  }

  /** @param elapsedMs what the step took; undefined if it failed for somebody */
  stepped({ parts, size }: CutStep<StepSequence>, elapsedMs: number | undefined): void {
    const numHalves = parts.length === 2 ? 2 : 1;
    this.#steps += 1;
    this.#halvedSteps += numHalves - 1;
    if (elapsedMs !== undefined) this.#policy.observe({ ...size, numHalves, elapsedMs });
  }
}

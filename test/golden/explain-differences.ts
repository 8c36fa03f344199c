// Where a run of lower precision parts from transformers' f32 run, and how close the call was.
import type { GoldenPrompt } from "./golden-files.ts";
import type { SequenceResult } from "./one-process-model.ts";

/** A token for which the gate chose other experts than it did in f32. */
export interface GateFlip {
  /** Position in prompt and text. */
  readonly position: number;
  readonly layer: number;
  /** By how much the gate preferred, in f32, the expert that was not chosen here. */
  readonly margin: number;
}

/** A greedy choice of another token than in f32, the tokens before it being the same. */
export interface TokenFlip {
  /** 0 .. 63 in the greedy text. */
  readonly step: number;
  /** By how much the f32 token beat the second. */
  readonly gap: number;
}

/**
 * The first token whose experts differ. Past it two right answers may lie far apart: another expert
 * is another function, and attention passes its output on.
 */
export function findGateFlip(
  golden: GoldenPrompt,
  { experts }: SequenceResult,
  numLayers: number,
): GateFlip | undefined {
  const perLayer = experts.length / golden.margins.length;
  for (let index = 0; index < golden.margins.length; index++) {
    const from = index * perLayer;
    const chosen = (ids: Uint8Array) =>
      ids
        .slice(from, from + perLayer)
        .sort()
        .join();
    if (chosen(experts) === chosen(golden.experts)) continue;
    const position = Math.floor(index / numLayers);
    return { position, layer: index % numLayers, margin: golden.margins[index]! };
  }
  return undefined;
}

/** Every greedy choice that differs, given transformers' own f32 text up to there. */
export function findTokenFlips(golden: GoldenPrompt, { logits }: SequenceResult): TokenFlip[] {
  const { greedyTokenIds, gaps } = golden.f32;
  const numRows = golden.tokenIds.length + greedyTokenIds.length - 1;
  const vocabSize = logits.length / numRows;
  return Array.from(greedyTokenIds).flatMap((expected, step) => {
    const row = golden.tokenIds.length - 1 + step;
    const found = likeliest(logits.subarray(row * vocabSize, (row + 1) * vocabSize));
    return found === expected ? [] : [{ step, gap: gaps[step]! }];
  });
}

/** Ties to the lowest id. */
function likeliest(logits: Float32Array): number {
  return logits.reduce((best, value, id) => (value > logits[best]! ? id : best), 0);
}

/** ‖found − expected‖ ÷ ‖expected‖, summed in f64; NaN if anything is. */
export function relativeL2(found: Float32Array, expected: Float32Array): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (found[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return found.length === expected.length ? Math.sqrt(difference / norm) : Number.NaN;
}

/** {@link relativeL2} of each row of `width`. */
export function relativeL2ByRow(
  found: Float32Array,
  expected: Float32Array,
  width: number,
): number[] {
  return Array.from({ length: expected.length / width }, (_, row) => {
    const at = [row * width, (row + 1) * width] as const;
    return relativeL2(found.subarray(...at), expected.subarray(...at));
  });
}

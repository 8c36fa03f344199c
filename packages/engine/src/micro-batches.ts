// Whether a step is computed as two halves, and which: one attends while the other's experts compute.
import type { StepSequence } from "@octet/kernels";

/** Of steps of one size, how many pass until the way that seems slower is tried again. */
export const stepsBetweenTrials = 32;
/** Steps of one size that are computed each way before one is preferred. */
const firstTrials = 3;
/** How much of an average a new measurement is. */
const newShare = 1 / 8;

/** Ways to compute a step: whole, or in two halves side by side. */
export type NumHalves = 1 | 2;

/** What one step took. */
export interface StepTime {
  readonly numTokens: number;
  readonly numHalves: NumHalves;
  readonly elapsedMs: number;
}

interface SizeHistory {
  numChosen: number;
  /** Mean ms a token, and of how many steps, whole and in halves. */
  readonly ways: Record<NumHalves, { msPerToken: number; numSteps: number }>;
}

/**
 * Prefers, for steps of about as many tokens, the way that took less time, by measurements that
 * it is given: it has no clock. Halves win where an expert's answer is far away, and lose where its
 * weights, read once for each half, are what takes the time.
 */
export class HalvesChooser {
  readonly #sequencesMin: number;
  /** By the number of tokens' binary logarithm. */
  readonly #bySize = new Map<number, SizeHistory>();

  /** @param sequencesMin steps of fewer sequences stay whole */
  constructor(sequencesMin: number) {
    this.#sequencesMin = sequencesMin;
  }

  choose(step: { readonly numSequences: number; readonly numTokens: number }): NumHalves {
    if (step.numSequences < this.#sequencesMin) return 1;
    const history = this.#historyOf(step.numTokens);
    const { 1: whole, 2: halves } = history.ways;
    const numChosen = history.numChosen++;
    if (whole.numSteps < firstTrials) return 1;
    if (halves.numSteps < firstTrials) return 2;
    const better = halves.msPerToken < whole.msPerToken ? 2 : 1;
    const isTrial = numChosen % stepsBetweenTrials === 0;
    return isTrial ? ((3 - better) as NumHalves) : better;
  }

  /** @param time of a step that failed for nobody */
  observe({ numTokens, numHalves, elapsedMs }: StepTime): void {
    const way = this.#historyOf(numTokens).ways[numHalves];
    const msPerToken = elapsedMs / numTokens;
    const share = Math.max(newShare, 1 / (way.numSteps + 1));
    way.msPerToken += share * (msPerToken - way.msPerToken);
    way.numSteps += 1;
  }

  #historyOf(numTokens: number): SizeHistory {
    const size = Math.floor(Math.log2(numTokens));
    let history = this.#bySize.get(size);
    if (history === undefined) {
      const unknown = () => ({ msPerToken: 0, numSteps: 0 });
      history = { numChosen: 0, ways: { 1: unknown(), 2: unknown() } };
      this.#bySize.set(size, history);
    }
    return history;
  }
}

/**
 * Two halves of about as many tokens, each in the order given; one if they cannot be told apart.
 * Sequences that share blocks stay together, as no block may be in two open steps: whoever shares
 * any shares the first.
 */
export function halveStep<S extends StepSequence>(sequences: readonly S[]): S[][] {
  const families = new Map<number, S[]>();
  for (const sequence of sequences) {
    const family = families.get(sequence.blockTable[0]!);
    if (family === undefined) families.set(sequence.blockTable[0]!, [sequence]);
    else family.push(sequence);
  }
  const halves = [new Set<S>(), new Set<S>()] as const;
  const tokens = [0, 0];
  const bySize = [...families.values()].toSorted((a, b) => tokensOf(b) - tokensOf(a));
  for (const family of bySize) {
    const lighter = tokens[0]! <= tokens[1]! ? 0 : 1;
    tokens[lighter]! += tokensOf(family);
    for (const sequence of family) halves[lighter].add(sequence);
  }
  return halves
    .filter((half) => half.size > 0)
    .map((half) => sequences.filter((sequence) => half.has(sequence)));
}

function tokensOf(sequences: readonly StepSequence[]): number {
  return sequences.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
}

// Whether a step is computed whole or in two halves: as it is set, or as was measured to be quicker.
import assert from "node:assert/strict";

/** Ways to compute a step: whole, or in two halves side by side. */
export type NumHalves = 1 | 2;

/** "auto" is whichever takes less time. Steps of few sequences stay whole, whatever is set. */
export type MicroBatches = "off" | "on" | "auto";

/** What is known of a step before it is computed. */
export interface StepSize {
  readonly numSequences: number;
  readonly numTokens: number;
}

/** What a step took. */
export interface StepTime extends StepSize {
  readonly numHalves: NumHalves;
  readonly elapsedMs: number;
}

/** Chooses for one step after another. */
export interface HalvesPolicy {
  choose(step: StepSize): NumHalves;
  /** @param time of a step that failed for nobody; a step that is not told of counts for nothing */
  observe(time: StepTime): void;
}

/** @param sequencesMin steps of fewer sequences stay whole */
export function createHalvesPolicy(mode: MicroBatches, sequencesMin: number): HalvesPolicy {
  if (mode === "auto") return new MeasuredHalves(sequencesMin);
  const most = mode === "on" ? 2 : 1;
  return {
    choose: ({ numSequences }) => (numSequences < sequencesMin ? 1 : most),
    observe: () => {},
  };
}

/** Steps of about one size between two trials: at first, and when it has long been clear. */
const trialGapMin = 16;
const trialGapMax = 512;
/** How much the sizes of a trial's steps may differ. */
const spreadMax = 1 / 8;
/** A trial's part in the mean, once there are many. */
const newShare = 1 / 6;
/** Beyond this, a difference is an accident: a pause, or another program. As natural logarithm. */
const differenceMax = 0.2;
/** What halves must gain to be taken up, and how surely: in standard errors, after some trials. */
const gainMin = 0.02;
const sureErrors = 2;
const sureTrials = 3;
/** Trials never agree better than this: so few of them say little of how much they scatter. */
const scatterMin = 0.03;
/** Halves that gain less than this are given up. */
const gainKept = 0.005;

/**
 * Compares both ways in trials: a step the usual way, two the other way, one the usual way, so that
 * what drifts evenly falls out. Between trials it goes the usual way, for longer and longer while
 * trials agree. So the way that loses has two of some five hundred steps, and in doubt steps are
 * whole. No clock, no randomness.
 *
 * Halves win where an expert's answer is far away, and lose where its weights, read once for each
 * half, are what takes the time: it may be another for every size.
 */
class MeasuredHalves implements HalvesPolicy {
  readonly #sequencesMin: number;
  /** By the number of tokens' binary logarithm. */
  readonly #bySize = new Map<number, SizeComparison>();

  constructor(sequencesMin: number) {
    this.#sequencesMin = sequencesMin;
  }

  choose(step: StepSize): NumHalves {
    return step.numSequences < this.#sequencesMin ? 1 : this.#comparisonOf(step).choose(step);
  }

  observe(time: StepTime): void {
    if (time.numSequences >= this.#sequencesMin) this.#comparisonOf(time).observe(time);
  }

  #comparisonOf({ numTokens }: StepSize): SizeComparison {
    const size = Math.floor(Math.log2(numTokens));
    let comparison = this.#bySize.get(size);
    if (comparison === undefined) {
      comparison = new SizeComparison();
      this.#bySize.set(size, comparison);
    }
    return comparison;
  }
}

interface Trial {
  readonly first: StepSize;
  /** Natural logarithms of ms a token, in the order of {@link trialOrder}. */
  readonly seen: number[];
  /** Steps that were chosen for it; more than it needs if some failed. */
  numChosen: number;
}

/** Which steps of a trial go the other way. */
const trialOrder = [false, true, true, false] as const;

/** Both ways, for steps of about one size. */
class SizeComparison {
  #usual: NumHalves = 1;
  #gap = trialGapMin;
  #stepsLeft = trialGapMin;
  #trial: Trial | undefined;
  /** Of the trials: log(halves / whole), mean and variance. */
  #mean = 0;
  #variance = 0;
  #numTrials = 0;

  choose(step: StepSize): NumHalves {
    if (this.#trial !== undefined && !this.#goesOn(this.#trial, step)) {
      this.#trial = undefined;
      this.#stepsLeft = this.#gap;
    }
    if (this.#trial === undefined && this.#stepsLeft-- <= 0) {
      this.#trial = { first: step, seen: [], numChosen: 0 };
    }
    if (this.#trial === undefined) return this.#usual;
    this.#trial.numChosen += 1;
    return this.#wayOf(this.#trial);
  }

  observe({ numTokens, numHalves, elapsedMs }: StepTime): void {
    if (this.#trial === undefined || numHalves !== this.#wayOf(this.#trial)) return;
    const { seen } = this.#trial;
    // A clock may stand still for a short step.
    seen.push(Math.log(Math.max(elapsedMs, 0.001) / numTokens));
    if (seen.length < trialOrder.length) return;
    const [before, other, another, after] = seen as [number, number, number, number];
    const difference = (other + another - before - after) / 2;
    this.#trial = undefined;
    this.#judge(this.#usual === 1 ? difference : -difference);
    this.#stepsLeft = this.#gap;
  }

  #goesOn({ first, numChosen }: Trial, step: StepSize): boolean {
    const isLike = (a: number, b: number) => Math.abs(a - b) <= b * spreadMax;
    return (
      numChosen < 2 * trialOrder.length &&
      isLike(step.numTokens, first.numTokens) &&
      isLike(step.numSequences, first.numSequences)
    );
  }

  #wayOf({ seen }: Trial): NumHalves {
    const isOther = trialOrder[seen.length];
    assert(isOther !== undefined, "a trial that has all of its steps is over");
    return isOther ? ((3 - this.#usual) as NumHalves) : this.#usual;
  }

  /** @param difference log(halves / whole) in one trial */
  #judge(difference: number): void {
    const found = Math.min(differenceMax, Math.max(-differenceMax, difference));
    this.#numTrials += 1;
    const share = Math.max(newShare, 1 / this.#numTrials);
    const off = found - this.#mean;
    this.#mean += share * off;
    this.#variance = (1 - share) * (this.#variance + share * off * off);
    const scatter = Math.max(this.#variance, scatterMin ** 2);
    const error = Math.sqrt((scatter * share) / (2 - share));
    const isPromising = this.#mean < -gainMin;
    const isSure = this.#numTrials >= sureTrials && this.#mean < -sureErrors * error;
    const better = this.#usual === 1 ? isPromising && isSure : this.#mean < -gainKept;
    const usual = better ? 2 : 1;
    const speaksForUsual = this.#usual === 1 ? found > -gainMin : found < -gainKept;
    if (usual !== this.#usual || (usual === 1 && isPromising)) this.#gap = trialGapMin;
    else if (speaksForUsual) this.#gap = Math.min(trialGapMax, 2 * this.#gap);
    else this.#gap = Math.max(trialGapMin, this.#gap / 2);
    this.#usual = usual;
  }
}

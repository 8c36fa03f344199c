// What a step takes, by its rows: whether one more is worth it.

/** How much of an average a new measurement is. */
const newShare = 1 / 8;
/** Steps after which a measurement no longer counts, so that what seemed dear is tried again. */
export const stepsRemembered = 128;
/** No step takes less, whatever a coarse clock says. */
const leastMs = 0.001;

/**
 * Mean times of steps by how many rows they had, as they are handed in: it has no clock. Between
 * measurements it interpolates; beyond the last a row seems to cost nothing, and soon one was
 * measured.
 */
export class StepCosts {
  /** [rowsMax + 1], by rows. */
  readonly #ms: Float64Array;
  /** [rowsMax + 1]: how many steps had been measured when this was last; 0 if it never was. */
  readonly #atStep: Float64Array;
  #numSteps = 0;

  /** @param rowsMax steps of more are of no interest */
  constructor(rowsMax: number) {
    this.#ms = new Float64Array(rowsMax + 1);
    this.#atStep = new Float64Array(rowsMax + 1);
  }

  /** @param elapsedMs of a step that failed for nobody */
  observe(numRows: number, elapsedMs: number): void {
    if (numRows >= this.#ms.length) return;
    this.#numSteps += 1;
    const share = this.#isKnown(numRows) ? newShare : 1;
    this.#ms[numRows]! += share * (Math.max(leastMs, elapsedMs) - this.#ms[numRows]!);
    this.#atStep[numRows] = this.#numSteps;
  }

  /** In ms, above 0; undefined if no step of as few rows is known. */
  estimate(numRows: number): number | undefined {
    let below = Math.min(numRows, this.#ms.length - 1);
    while (below > 0 && !this.#isKnown(below)) below -= 1;
    if (below === 0) return undefined;
    let above = numRows;
    while (above < this.#ms.length && !this.#isKnown(above)) above += 1;
    const [belowMs, aboveMs] = [this.#ms[below]!, this.#ms[above]];
    if (aboveMs === undefined || above === below) return belowMs;
    return belowMs + ((numRows - below) / (above - below)) * (aboveMs - belowMs);
  }

  #isKnown(numRows: number): boolean {
    const atStep = this.#atStep[numRows]!;
    return atStep > 0 && this.#numSteps - atStep < stepsRemembered;
  }
}

// What a benchmark must reach, and whether it has.

/** One demand on one number of a result. */
export interface Bar {
  readonly of: "value" | "ratio" | "ofLimit";
  readonly is: "at least" | "at most";
  readonly bound: number;
}

/** The numbers that bars are about. */
export type Judged = Readonly<Partial<Record<Bar["of"], number>>>;

/** Whether every bar is met; a number that is missing meets none. */
export function areMet(bars: readonly Bar[], judged: Judged): boolean {
  return bars.every(({ of, is, bound }) => {
    const found = judged[of];
    if (found === undefined) return false;
    return is === "at least" ? found >= bound : found <= bound;
  });
}

/** "ratio ≥ 1.5, ofLimit ≥ 0.6" */
export function describeBars(bars: readonly Bar[]): string {
  return bars
    .map(({ of, is, bound }) => `${of} ${is === "at least" ? "≥" : "≤"} ${bound}`)
    .join(", ");
}

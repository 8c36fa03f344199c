// Which kernels of a product are worth having, by what each of them costs.
import type { MultiplyTuning } from "../multiply.ts";

/** One kernel's time, at as many rows as it takes at once. */
export interface KernelCost {
  /** The kernels for a few rows, or the tiles for many. */
  readonly family: "few" | "many";
  readonly rows: number;
  readonly microseconds: number;
}

/** A kernel for fewer rows must cost less than this much of the next one, or it is not made. */
const worthwhile = 0.95;

/**
 * The tile with the least time a row takes all that is larger; below it, each kernel that is
 * cheaper than the one that would take its rows otherwise. So where few rows end and tiles begin
 * is what was measured.
 *
 * @param costs of one tile at least
 */
export function chooseSizes(
  costs: readonly KernelCost[],
): Pick<MultiplyTuning, "fewRows" | "tileRows"> {
  const tiles = costs.filter(({ family }) => family === "many");
  const largest = tiles.reduce((best, cost) => (perRow(cost) < perRow(best) ? cost : best));
  const smaller = costs.filter(({ rows }) => rows < largest.rows);
  const kept = [...keepWorthwhile(smaller, largest.microseconds), largest];
  const rowsOf = (wanted: KernelCost["family"]) =>
    kept.filter(({ family }) => family === wanted).map(({ rows }) => rows);
  return { fewRows: rowsOf("few"), tileRows: rowsOf("many") };
}

/**
 * The kernels that are cheaper than any for more rows.
 *
 * @param otherwise what is paid, in microseconds, where none of them is there
 * @returns those, by rising rows
 */
export function keepWorthwhile(costs: readonly KernelCost[], otherwise: number): KernelCost[] {
  const kept: KernelCost[] = [];
  let least = otherwise;
  for (const cost of costs.toSorted((a, b) => b.rows - a.rows)) {
    if (cost.microseconds >= worthwhile * least) continue;
    kept.unshift(cost);
    least = cost.microseconds;
  }
  return kept;
}

function perRow({ microseconds, rows }: KernelCost): number {
  return microseconds / rows;
}

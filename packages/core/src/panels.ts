// Where the elements of a quantised matrix lie: in panels of sixteen interleaved rows.
//
// For [N, K], rows 16p .. 16p + 15 make panel p; the last is filled up with rows of zeros, scale 0.
//
//   q8      byte (p, c, r, j) = quant(16p + r, 4c + j) + 128, quants in -127 .. 127
//   q4      byte (p, c, r, j) = quant(16p + r, 8c + j) + 8 in the low four bits,
//                               quant(16p + r, 8c + 4 + j) + 8 in the high; quants in -8 .. 7
//   scales  (p, b, r), bf16: of row 16p + r, columns 32b .. 32b + 31
//
// So 64 bytes are one vector register: four columns of sixteen rows, or in q4 twice four. Example,
// K = 64: the q8 quant of row 18, column 37 is in panel 1, c = 9, r = 2, j = 1, which is byte
// 1 × 16 × 64 + 9 × 64 + 2 × 4 + 1 = 1609; its scale is number 1 × 2 × 16 + 1 × 16 + 2 = 50.
import assert from "node:assert/strict";
import { type QuantisedDtype, quantBlockSize } from "./dtype.ts";

/** Rows that are interleaved in a panel: the f32 lanes of the widest vector register. */
export const panelRows = 16;

/** Columns whose quants one byte per row and lane holds, four lanes to a row. */
const columnsPerGroup: Readonly<Record<QuantisedDtype, number>> = { q8: 4, q4: 8 };

/** The shapes of the two tensors that a quantised matrix is stored as. */
export interface PanelShapes {
  /** u8: [P, K / 4, 16, 4], or for q4 [P, K / 8, 16, 4]. */
  readonly quants: readonly [number, number, number, number];
  /** bf16: [P, K / 32, 16]. */
  readonly scales: readonly [number, number, number];
}

/**
 * How a matrix [N, K] is stored; P is N / 16, rounded up.
 *
 * @throws {AssertionError} if K is not a multiple of {@link quantBlockSize}
 */
export function panelShapes(
  dtype: QuantisedDtype,
  [rows, columns]: readonly [rows: number, columns: number],
): PanelShapes {
  assert(columns % quantBlockSize === 0, `${columns} columns are not whole blocks`);
  const panels = Math.ceil(rows / panelRows);
  return {
    quants: [panels, columns / columnsPerGroup[dtype], panelRows, 4],
    scales: [panels, columns / quantBlockSize, panelRows],
  };
}

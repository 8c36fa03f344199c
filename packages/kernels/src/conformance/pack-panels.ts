// Quantises and packs matrices the plain way, apart from the code that makes shards.
import {
  fromBf16Bits,
  panelRows,
  panelShapes,
  type QuantisedDtype,
  quantBlockSize,
  toBf16Bits,
} from "@octet/core";

/** A quantised matrix as it is stored. */
export interface PackedPanels {
  readonly quants: Uint8Array;
  readonly scales: Uint16Array;
}

/** What quants range over; a block's extreme element becomes the end that `scaleOf` aims at. */
const ranges = {
  q8: { min: -127, max: 127, scaleOf: (extreme: number) => Math.abs(extreme) / 127 },
  q4: { min: -8, max: 7, scaleOf: (extreme: number) => 0 - extreme / 8 },
};

/**
 * Packs `values`, [rows, K], as core's panels.ts says. Each block's scale is rounded to bf16, its
 * quants to the nearest multiples of that within their range.
 */
export function packPanels(
  dtype: QuantisedDtype,
  values: Float32Array,
  rows: number,
): PackedPanels {
  const columns = values.length / rows;
  const shapes = panelShapes(dtype, [rows, columns]);
  const paddedRows = shapes.quants[0] * panelRows;
  const quants = new Uint8Array(shapes.quants.reduce((product, size) => product * size));
  const scales = new Uint16Array(shapes.scales.reduce((product, size) => product * size));
  const { min, max, scaleOf } = ranges[dtype];
  const place = dtype === "q8" ? placeQ8 : placeQ4;
  for (let row = 0; row < paddedRows; row++) {
    for (let first = 0; first < columns; first += quantBlockSize) {
      const start = row * columns + first;
      const block = row < rows ? values.subarray(start, start + quantBlockSize) : zeros;
      const scaleBits = toBf16Bits(scaleOf(extremeOf(block)));
      const scale = fromBf16Bits(scaleBits);
      scales[scaleIndex(row, first, columns)] = scaleBits;
      for (let i = 0; i < quantBlockSize; i++) {
        const nearest = scale === 0 ? 0 : Math.round(block[i]! / scale);
        place(quants, { row, column: first + i, columns }, Math.max(min, Math.min(max, nearest)));
      }
    }
  }
  return { quants, scales };
}

const zeros = new Float32Array(quantBlockSize);

function extremeOf(block: Float32Array): number {
  return block.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
}

interface Place {
  readonly row: number;
  readonly column: number;
  readonly columns: number;
}

function scaleIndex(row: number, column: number, columns: number): number {
  const panel = Math.floor(row / panelRows);
  const block = Math.floor(column / quantBlockSize);
  return (panel * (columns / quantBlockSize) + block) * panelRows + (row % panelRows);
}

function placeQ8(bytes: Uint8Array, { row, column, columns }: Place, quant: number): void {
  const group = Math.floor(row / panelRows) * (columns / 4) + Math.floor(column / 4);
  bytes[(group * panelRows + (row % panelRows)) * 4 + (column % 4)] = quant + 128;
}

function placeQ4(bytes: Uint8Array, { row, column, columns }: Place, quant: number): void {
  const group = Math.floor(row / panelRows) * (columns / 8) + Math.floor(column / 8);
  const byte = (group * panelRows + (row % panelRows)) * 4 + (column % 4);
  const shift = column % 8 < 4 ? 0 : 4;
  bytes[byte]! |= (quant + 8) << shift;
}

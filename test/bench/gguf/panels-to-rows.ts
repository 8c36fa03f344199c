// Panels of sixteen interleaved rows to the rows of GGUF's Q4_0 and Q8_0: the same numbers.
//
// A block of 32 columns of a row is one scale, an f16, and then
//   Q8_0   32 signed bytes
//   Q4_0   16 bytes; byte i has quant i + 8 in its low half and quant i + 16, + 8, in its high
import assert from "node:assert/strict";
import { panelRows, panelShapes, type QuantisedDtype, quantBlockSize } from "@octet/core";

/** A quantised matrix as a shard stores it: see core's panels.ts. */
export interface StoredPanels {
  readonly dtype: QuantisedDtype;
  readonly shape: readonly [rows: number, columns: number];
  /** 4-byte aligned. */
  readonly quants: Uint8Array;
  /** bf16 bits. */
  readonly scales: Uint16Array;
}

/** Bytes of a block in GGUF. */
const blockBytes: Readonly<Record<QuantisedDtype, number>> = { q4: 18, q8: 34 };

/**
 * @param targetRow where each row goes; where it is unless told otherwise
 * @returns [N, K] in Q4_0 or Q8_0
 * @throws {RangeError} if a scale has no equal in f16
 */
export function panelsToRows(
  { dtype, shape, quants, scales }: StoredPanels,
  targetRow: (row: number) => number = (row) => row,
): Uint8Array {
  const [rows, columns] = shape;
  const expected = panelShapes(dtype, shape);
  assert.equal(quants.length, product(expected.quants), "quants as the shape says");
  assert.equal(scales.length, product(expected.scales), "scales as the shape says");
  const words = new Int32Array(quants.buffer, quants.byteOffset, quants.length / 4);
  const blocksPerRow = columns / quantBlockSize;
  const wordsPerBlock = dtype === "q4" ? 4 : 8; // of each row
  const target = Buffer.alloc(rows * blocksPerRow * blockBytes[dtype]);
  const write = dtype === "q4" ? writeQ4Block : writeQ8Block;
  for (let row = 0; row < rows; row++) {
    const lane = row % panelRows;
    const firstBlock = Math.floor(row / panelRows) * blocksPerRow;
    const rowStart = targetRow(row) * blocksPerRow * blockBytes[dtype];
    for (let b = 0; b < blocksPerRow; b++) {
      const at = rowStart + b * blockBytes[dtype];
      target.writeUInt16LE(bf16ToF16(scales[(firstBlock + b) * panelRows + lane]!), at);
      write(words, (firstBlock + b) * wordsPerBlock * panelRows + lane, target, at + 2);
    }
  }
  return target;
}

/** Eight words of four columns each; 128 less turns their bytes into signed ones. */
function writeQ8Block(words: Int32Array, first: number, target: Buffer, at: number): void {
  for (let c = 0; c < 8; c++) {
    target.writeInt32LE(words[first + c * panelRows]! ^ 0x80808080, at + 4 * c);
  }
}

/** Four words of eight columns each: columns 0 to 15 become low halves, 16 to 31 high ones. */
function writeQ4Block(words: Int32Array, first: number, target: Buffer, at: number): void {
  for (let c = 0; c < 2; c++) {
    const low = words[first + c * panelRows]!;
    const high = words[first + (c + 2) * panelRows]!;
    const columns0 = (low & 0x0f0f0f0f) | ((high & 0x0f0f0f0f) << 4);
    const columns4 = ((low >>> 4) & 0x0f0f0f0f) | (high & 0xf0f0f0f0);
    target.writeInt32LE(columns0, at + 8 * c);
    target.writeInt32LE(columns4, at + 8 * c + 4);
  }
}

/** The same number in f16, whose exponents reach less far and whose fractions reach further. */
export function bf16ToF16(bits: number): number {
  if ((bits & 0x7fff) === 0) return bits;
  const exponent = ((bits >>> 7) & 0xff) - 127 + 15;
  if (exponent >= 1 && exponent <= 30) {
    return (bits & 0x8000) | (exponent << 10) | ((bits & 0x7f) << 3);
  }
  throw new RangeError(`the bf16 bits 0x${bits.toString(16)} have no equal among f16's numbers`);
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1);
}

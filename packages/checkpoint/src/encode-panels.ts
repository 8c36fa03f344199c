// f32 rows to the panels of a quantised matrix: see core's panels.ts for where each element lies.
import { panelRows, type QuantisedDtype, quantBlockSize } from "@octet/core";
import type { F32Scratch } from "./decode-weights.ts";
import { quantiseQ4 } from "./quantise-q4.ts";
import { quantiseQ8 } from "./quantise-q8.ts";

/** Where panels are written; both may be larger than needed. */
export interface PanelTarget {
  /** Of the rows to encode; columns in whole blocks. */
  readonly shape: readonly [rows: number, columns: number];
  /** [P, K / 4, 16, 4], or for q4 [P, K / 8, 16, 4]; 4-byte aligned. */
  readonly quants: Uint8Array;
  /** [P, K / 32, 16] bf16 bits. */
  readonly scales: Uint16Array;
}

/** What a row beyond the last holds: quants of 0, with the bias that each dtype's bytes have. */
const zeroWord: Readonly<Record<QuantisedDtype, number>> = { q8: 0x80808080, q4: 0x88888888 };

const block = new Int32Array(quantBlockSize);

/**
 * Quantises [N, K] values and lays them out in panels; rows beyond N in the last are zeros.
 *
 * @param source [N, K]
 * @returns the bytes of `target.quants` that were written
 */
export function encodePanels(
  dtype: QuantisedDtype,
  source: F32Scratch,
  target: PanelTarget,
): Uint8Array {
  const { quants, scales } = target;
  const [rows, columns] = target.shape;
  const numPanels = Math.ceil(rows / panelRows);
  const wordsPerBlock = dtype === "q8" ? 8 : 4; // of each row
  const blocksPerRow = columns / quantBlockSize;
  const panelWords = blocksPerRow * wordsPerBlock * panelRows;
  const words = new Int32Array(quants.buffer, quants.byteOffset, numPanels * panelWords);
  const quantise = dtype === "q8" ? quantiseQ8 : quantiseQ4;
  const pack = dtype === "q8" ? packQ8 : packQ4;
  for (let row = 0; row < numPanels * panelRows; row++) {
    const panel = Math.floor(row / panelRows);
    const lane = row % panelRows;
    for (let b = 0; b < blocksPerRow; b++) {
      const firstWord = panel * panelWords + b * wordsPerBlock * panelRows + lane;
      const scaleAt = (panel * blocksPerRow + b) * panelRows + lane;
      if (row < rows) {
        scales[scaleAt] = quantise(source, row * columns + b * quantBlockSize, block);
        pack(block, words, firstWord);
      } else {
        scales[scaleAt] = 0;
        for (let c = 0; c < wordsPerBlock; c++) words[firstWord + c * panelRows] = zeroWord[dtype];
      }
    }
  }
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

/** Four columns a word, lowest byte first: quants plus 128. */
function packQ8(quants: Int32Array, words: Int32Array, firstWord: number): void {
  for (let i = 0, at = firstWord; i < quantBlockSize; i += 4, at += panelRows) {
    const low = (quants[i]! + 128) | ((quants[i + 1]! + 128) << 8);
    words[at] = low | ((quants[i + 2]! + 128) << 16) | ((quants[i + 3]! + 128) << 24);
  }
}

/** Eight columns a word: quants plus 8, columns 0 to 3 in the low halves of bytes, 4 to 7 above. */
function packQ4(quants: Int32Array, words: Int32Array, firstWord: number): void {
  for (let i = 0, at = firstWord; i < quantBlockSize; i += 8, at += panelRows) {
    let word = 0;
    for (let j = 0; j < 4; j++) {
      word |= ((quants[i + j]! + 8) | ((quants[i + 4 + j]! + 8) << 4)) << (8 * j);
    }
    words[at] = word;
  }
}

// Weights of any size from a name, without a source: random, but such that activations keep theirs.
import assert from "node:assert/strict";
import {
  isQuantised,
  panelShapes,
  type QuantisedDtype,
  toBf16Bits,
  type WeightDtype,
} from "@octet/core";
import { matrixShape, type PlannedTensor } from "../../../packages/checkpoint/src/shard-plan.ts";

/** Fills `bytes`, a multiple of 4 and the same in every run, with what comes next of a tensor. */
export type Fill = (bytes: Uint8Array) => void;

/**
 * What each stored tensor of a planned one holds: quants and scales, or numbers. A matrix has
 * deviation 1 / √K, so that products keep the size of what they multiply; the embedding has 1, and
 * the gate 2 / √K, so that every expert is chosen about as often.
 */
export function fillsOf(tensor: PlannedTensor, weightDtype: WeightDtype): Fill[] {
  const { name, shape, role } = tensor;
  const deviation = deviationOf(tensor);
  switch (role) {
    case "vector":
      return [fillF32(name, (uniform) => 1 + uniform / 4)];
    case "gate":
      return [fillF32(name, (uniform) => uniform * Math.sqrt(3) * deviation)];
    case "embedding":
      assert(isQuantised(weightDtype), "an embedding in bf16");
      return [fillBf16(name, 1)];
    case "matrix": {
      assert(isQuantised(weightDtype), `no random ${weightDtype}`);
      const { quants } = panelShapes(weightDtype, matrixShape(tensor));
      assert(quants[0] * quants[2] === shape[0], `${name}: ${shape[0]} rows are not whole panels`);
      return [fillQuants(name, weightDtype), fillScales(`${name}.scales`, weightDtype, deviation)];
    }
  }
}

function deviationOf({ role, shape }: PlannedTensor): number {
  const columns = shape.at(-1)!;
  return (role === "gate" ? 2 : 1) / Math.sqrt(columns);
}

/** Root mean square of uniform quants: of -8 .. 7, and of -127 .. 127. */
const quantRms: Readonly<Record<QuantisedDtype, number>> = {
  q4: Math.sqrt(21.5),
  q8: Math.sqrt((255 ** 2 - 1) / 12),
};

function fillQuants(name: string, dtype: QuantisedDtype): Fill {
  const next = randomWords(name);
  return (bytes) => {
    const words = wordsOf(bytes);
    next(words);
    // Any nibble is a quant. The byte 0 would be the quant -128, which q8 does not have.
    if (dtype === "q8") for (let i = 0; i < words.length; i++) words[i] = withoutZeros(words[i]!);
  };
}

/** The word with 1 for each byte that is 0. */
function withoutZeros(word: number): number {
  const zeros = ~(((word & 0x7f7f7f7f) + 0x7f7f7f7f) | word) & 0x80808080;
  return word | (zeros >>> 7);
}

/**
 * Scales of another size for each block, so that one taken for another shows. In q4 half of them
 * are negative: its quants have a mean of -1/2, which would add up.
 */
function fillScales(name: string, dtype: QuantisedDtype, deviation: number): Fill {
  const base = deviation / quantRms[dtype];
  const table = bf16Table((uniform) => {
    const sign = dtype === "q4" && uniform < 0 ? -1 : 1;
    return sign * base * (0.75 + Math.abs(uniform) / 2);
  });
  return fillFromTable(name, table);
}

function fillBf16(name: string, deviation: number): Fill {
  return fillFromTable(
    name,
    bf16Table((uniform) => uniform * Math.sqrt(3) * deviation),
  );
}

/** The bf16 of `value` for 65,536 numbers from -1 to 1. */
function bf16Table(value: (uniform: number) => number): Uint16Array {
  return Uint16Array.from({ length: 65_536 }, (_, i) => toBf16Bits(value((i - 32_767.5) / 32_768)));
}

function fillFromTable(name: string, table: Uint16Array): Fill {
  const next = randomWords(name);
  return (bytes) => {
    next(wordsOf(bytes));
    const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
    for (let i = 0; i < halves.length; i++) halves[i] = table[halves[i]!]!;
  };
}

function fillF32(name: string, value: (uniform: number) => number): Fill {
  const next = randomWords(name);
  return (bytes) => {
    const words = wordsOf(bytes);
    next(words);
    const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, words.length);
    for (let i = 0; i < words.length; i++) numbers[i] = value(words[i]! / 2 ** 31);
  };
}

function wordsOf(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

/** Xorshift: as fast as the disk, and as random as weights need to be. */
function randomWords(name: string): (into: Int32Array) => void {
  let state = hashOf(name);
  return (into) => {
    let x = state;
    for (let i = 0; i < into.length; i++) {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      into[i] = x;
    }
    state = x;
  };
}

/** FNV-1a, never 0. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return hash === 0 ? 1 : hash;
}

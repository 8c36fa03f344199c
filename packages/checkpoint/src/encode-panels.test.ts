import { panelShapes, type QuantisedDtype } from "@octet/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createF32Scratch, type F32Scratch } from "./decode-weights.ts";
import { encodePanels } from "./encode-panels.ts";
import { quantiseQ4 } from "./quantise-q4.ts";
import { quantiseQ8 } from "./quantise-q8.ts";
import { createRandom } from "./testing/synthetic-checkpoint.ts";

function randomRows(rows: number, columns: number): F32Scratch {
  const source = createF32Scratch(rows * columns + 64);
  const random = createRandom(rows * 1000 + columns);
  source.values.forEach((_, i) => {
    source.values[i] = random();
  });
  return source;
}

const elementCount = (shape: readonly number[]) => shape.reduce((a, b) => a * b);

/** The quant and the scale of an element by the formulas of core's panels.ts. */
function place(dtype: QuantisedDtype, [row, column, columns]: readonly [number, number, number]) {
  const [p, r] = [Math.floor(row / 16), row % 16];
  const perGroup = dtype === "q8" ? 4 : 8;
  const c = Math.floor(column / perGroup);
  return {
    byte: ((p * (columns / perGroup) + c) * 16 + r) * 4 + (column % 4),
    isHigh: dtype === "q4" && column % 8 >= 4,
    scale: (p * (columns / 32) + Math.floor(column / 32)) * 16 + r,
  };
}

for (const dtype of ["q8", "q4"] as const) {
  const quantise = dtype === "q8" ? quantiseQ8 : quantiseQ4;

  test(`${dtype}: every element lies where it should, and rows past the last are zeros`, () => {
    const sizes = fc.record({
      rows: fc.integer({ min: 1, max: 40 }),
      blocks: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(sizes, ({ rows, blocks }) => {
        const columns = blocks * 32;
        const source = randomRows(rows, columns);
        const shapes = panelShapes(dtype, [rows, columns]);
        const room = new Uint8Array(elementCount(shapes.quants) + 128).fill(0x55);
        const scales = new Uint16Array(elementCount(shapes.scales) + 16).fill(0x5555);
        const quants = encodePanels(dtype, source, {
          shape: [rows, columns],
          quants: room,
          scales,
        });
        expect(quants.length).toBe(elementCount(shapes.quants));
        expect(quants.buffer).toBe(room.buffer);
        expect(new Set(room.subarray(quants.length))).toEqual(new Set([0x55]));
        expect(new Set(scales.subarray(-16))).toEqual(new Set([0x5555]));
        const expected = new Int32Array(32);
        for (let row = 0; row < shapes.quants[0] * 16; row++) {
          for (let first = 0; first < columns; first += 32) {
            const start = row * columns + first;
            const scale = row < rows ? quantise(source, start, expected) : 0;
            if (row >= rows) expected.fill(0);
            for (let i = 0; i < 32; i++) {
              const at = place(dtype, [row, first + i, columns]);
              const byte = quants[at.byte]!;
              const quant = dtype === "q8" ? byte - 128 : (at.isHigh ? byte >> 4 : byte & 15) - 8;
              expect([quant, scales[at.scale]]).toEqual([expected[i], scale]);
            }
          }
        }
      }),
      { numRuns: 30, examples: [[{ rows: 1, blocks: 1 }], [{ rows: 16, blocks: 3 }]] },
    );
  });
}

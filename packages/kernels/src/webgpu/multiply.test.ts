import {
  type ActivationRows,
  activationRowBytes,
  dispatchDtype,
  fromBf16Bits,
  toBf16Bits,
  type WeightDtype,
  weightDtypes,
} from "@octet/core";
import { expect, test, vi } from "vitest";
import { assertClose, assertSameBits } from "../conformance/compare.ts";
import { scratchDirectory } from "../conformance/scratch-directory.ts";
import { encodeActivations } from "../reference/activation-rows.ts";
import type { MultiplyTuning } from "./multiply.ts";
import { rowsFor, writeMatrix } from "./testing/matrix-fixture.ts";
import { runMultiply } from "./testing/run-multiply.ts";
import { sharedSwiftShaderDevice, swiftShaderDevices } from "./testing/swiftshader-device.ts";

// SwiftShader computes, and compiles, on the cores that other tests use.
vi.setConfig({ testTimeout: 600_000 });
const newPath = scratchDirectory();
const newDevice = swiftShaderDevices();

/** f32 sums of a few thousand terms in another order than the reference's f64. */
const relativeL2Max = 1e-5;

/**
 * Neither whole panels nor whole tiles; more blocks than lanes; and, so that what a tile writes past
 * the last panel is seen, panels that fill the rows of out to the end.
 */
const shapes: Readonly<Record<WeightDtype, readonly (readonly [number, number])[]>> = {
  f32: [
    [7, 3],
    [65, 40],
    [96, 32],
    [80, 1120],
  ],
  f16: [
    [7, 3],
    [33, 72],
    [80, 1120],
  ],
  bf16: [
    [7, 3],
    [33, 72],
    [96, 32],
    [80, 1120],
  ],
  q8: [
    [7, 32],
    [96, 32],
    [80, 1120],
    [65, 96],
  ],
  q4: [
    [7, 32],
    [96, 32],
    [80, 1120],
    [65, 96],
  ],
};

/** One row of `x` on its own. */
function oneRow(x: ActivationRows, row: number): ActivationRows {
  const rowBytes = activationRowBytes(x.dtype, x.width);
  return { ...x, rows: 1, data: x.data.subarray(row * rowBytes, (row + 1) * rowBytes) };
}

for (const dtype of weightDtypes) {
  for (const shape of shapes[dtype]) {
    test(`multiply ${dtype} [${shape}]: within ${relativeL2Max} of f64 at any number of rows`, async () => {
      const device = await sharedSwiftShaderDevice();
      const fixture = await writeMatrix(newPath(), dtype, shape);
      const matrix = await fixture.upload(device);
      for (const numRows of [1, 3, 5, 17, 65]) {
        const x = rowsFor(fixture.source, numRows);
        const actual = Float64Array.from(await runMultiply(device, matrix, x));
        const expected = Float64Array.from(await fixture.expected(x));
        assertClose(actual, expected, { bound: relativeL2Max, what: `${numRows} rows` });
      }
    });
  }

  test(`multiply ${dtype}: every kernel and tuning gives a row the bits it has alone`, async () => {
    const device = await sharedSwiftShaderDevice();
    const withoutImmediates = await newDevice({ withoutImmediates: true });
    const fixture = await writeMatrix(newPath(), dtype, [80, 1120]);
    const matrix = await fixture.upload(device);
    const numRows = 19;
    const x = rowsFor(fixture.source, numRows);
    const alone = await Promise.all(
      Array.from({ length: numRows }, (_, row) => runMultiply(device, matrix, oneRow(x, row))),
    );
    const expected = Float32Array.from(alone.flatMap((values) => [...values]));
    const variants: Record<string, Partial<MultiplyTuning>> = {
      "a tile of 16": {},
      "two tiles of 16": { fewRows: [1], tileRows: [16] },
      "a tile of 128": { tileRows: [128] },
      "plain dots": { dots: "plain" },
    };
    for (const [what, tuning] of Object.entries(variants)) {
      assertSameBits(await runMultiply(device, matrix, x, { tuning }), expected, what);
    }
    for (const few of [2, 4, 6]) {
      const some = { ...x, rows: few, data: x.data.subarray(0, few * (x.data.length / numRows)) };
      const whole = expected.subarray(0, few * 80);
      for (const tuning of [{}, { dots: "plain" as const }, { fewRows: [8] }]) {
        const what = `${few} rows, ${JSON.stringify(tuning)}`;
        assertSameBits(await runMultiply(device, matrix, some, { tuning }), whole, what);
      }
    }
    const apart = await fixture.upload(withoutImmediates);
    assertSameBits(await runMultiply(withoutImmediates, apart, x), expected, "uniforms");
  });

  test(`multiply ${dtype}: products are rounded to bf16, or added to what is there`, async () => {
    const device = await sharedSwiftShaderDevice();
    const fixture = await writeMatrix(newPath(), dtype, [33, 64]);
    const matrix = await fixture.upload(device);
    for (const numRows of [2, 19]) {
      const x = rowsFor(fixture.source, numRows);
      const plain = await runMultiply(device, matrix, x);
      const rounded = await runMultiply(device, matrix, x, { output: "bf16" });
      expect(rounded).toEqual(plain.map((value) => fromBf16Bits(toBf16Bits(value))));
      const added = await runMultiply(device, matrix, x, { output: "added", before: 0.75 });
      expect(added).toEqual(plain.map((value) => value + 0.75));
    }
  });

  // Four bits have no such weights beside each other; q4's kernels are q8's.
  if (dtype !== "q4") {
    test(`multiply ${dtype}: what lies between two bf16 numbers becomes the even one`, async () => {
      const device = await sharedSwiftShaderDevice();
      const [outSize, inSize] = [33, 64];
      const values = new Float32Array(outSize * inSize);
      for (let n = 0; n < outSize; n++) values.set([127, n % 2 === 0 ? 31 : 95], n * inSize);
      const fixture = await writeMatrix(newPath(), dtype, [outSize, inSize], values);
      const matrix = await fixture.upload(device);
      // bf16 numbers of this size are 64 apart: 127 × 127 + 31 is 252.5 × 64, and 64 more 253.5 × 64.
      const expected = Array.from(values.subarray(0, outSize), (_, n) => (n % 2 ? 254 : 252) * 64);
      for (const numRows of [1, 2, 19]) {
        const rows = new Float32Array(numRows * inSize);
        for (let t = 0; t < numRows; t++) rows.set([127, 1], t * inSize);
        const x = encodeActivations(rows, inSize, dispatchDtype(dtype));
        const rounded = await runMultiply(device, matrix, x, { output: "bf16" });
        expect([...rounded]).toEqual(Array.from({ length: numRows }, () => expected).flat());
      }
    });
  }

  for (const inSize of [4096, 14_336]) {
    test(`multiply ${dtype}: one row of Mixtral's width ${inSize}`, async () => {
      const device = await sharedSwiftShaderDevice();
      const fixture = await writeMatrix(newPath(), dtype, [48, inSize]);
      const x = rowsFor(fixture.source, 1);
      const actual = Float64Array.from(await runMultiply(device, await fixture.upload(device), x));
      const expected = Float64Array.from(await fixture.expected(x));
      assertClose(actual, expected, { bound: relativeL2Max, what: "one row" });
    });
  }
}

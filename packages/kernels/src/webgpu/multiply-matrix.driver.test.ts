// Products of small matrices: run by `npm run test:drivers`, on a driver that has them.
import assert from "node:assert/strict";
import { expect, test } from "vitest";
import { assertSameBits } from "../conformance/compare.ts";
import { scratchDirectory } from "../conformance/scratch-directory.ts";
import { makesByteMatrix } from "./device/byte-matrix.ts";
import type { MultiplyTuning } from "./multiply.ts";
import { rowsFor, writeMatrix } from "./testing/matrix-fixture.ts";
import { runFeedForward } from "./testing/run-feed-forward.ts";
import { runMultiply } from "./testing/run-multiply.ts";
import { sharedSwiftShaderDevice, swiftShaderDevices } from "./testing/swiftshader-device.ts";

const newPath = scratchDirectory();
const newDevice = swiftShaderDevices();
const tileRows = [16, 32, 64, 128];

test("the device makes products of small matrices", async () => {
  const device = await sharedSwiftShaderDevice();
  const { byteMatrix } = device.kernels.variants;
  assert(byteMatrix !== undefined, `${device.facts.name} has no such products`);
  expect(await makesByteMatrix(device.raw, byteMatrix)).toBe(true);
  const without = await newDevice({ withoutSubgroups: true });
  expect(without.kernels.variants.byteMatrix).toBeUndefined();
  expect(await makesByteMatrix(without.raw, byteMatrix)).not.toBe(true);
});

for (const dtype of ["q8", "q4"] as const) {
  for (const shape of [
    [7, 32],
    [80, 1120],
    [65, 96],
    [48, 4096],
  ] as const) {
    test(`${dtype} [${shape}]: the bits of every other kernel`, async () => {
      const device = await sharedSwiftShaderDevice();
      const fixture = await writeMatrix(newPath(), dtype, shape);
      const matrix = await fixture.upload(device);
      for (const numRows of [1, 17, 65]) {
        const x = rowsFor(fixture.source, numRows);
        for (const output of ["f32", "bf16", "added"] as const) {
          const run = (tuning: Partial<MultiplyTuning>) =>
            runMultiply(device, matrix, x, { output, before: 0.75, tuning });
          const expected = await run({ fewRows: [1] });
          for (const rows of tileRows) {
            const found = await run({ dots: "matrix", fewRows: [], tileRows: [rows] });
            assertSameBits(found, expected, `${numRows} rows, ${output}, tiles of ${rows}`);
          }
        }
      }
    });
  }

  test(`${dtype}: an expert gives the same bits`, async () => {
    const device = await sharedSwiftShaderDevice();
    const run = (dots: MultiplyTuning["dots"]) => {
      const one = { dots, fewRows: [], tileRows: [32] };
      return runFeedForward(device, dtype, { numRows: 40, tuning: { up: one, down: one } });
    };
    assertSameBits(await run("matrix"), await run("packed"), "40 rows");
  });
}

test("a choice of them is kept from devices that have none", async () => {
  const device = await newDevice({ withoutSubgroups: true });
  const fixture = await writeMatrix(newPath(), "q4", [16, 64]);
  const x = rowsFor(fixture.source, 3);
  const found = await runMultiply(device, await fixture.upload(device), x, {
    tuning: { dots: "matrix", fewRows: [] },
  });
  const other = await sharedSwiftShaderDevice();
  const expected = await runMultiply(other, await fixture.upload(other), x);
  assertSameBits(found, expected, "without");
});

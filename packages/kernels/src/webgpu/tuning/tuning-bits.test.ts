// No bit of a result depends on a tuned choice, whichever it is.
import assert from "node:assert/strict";
import type { WeightDtype } from "@octet/core";
import { test } from "vitest";
import { assertSameBits } from "../../conformance/compare.ts";
import { scratchDirectory } from "../../conformance/scratch-directory.ts";
import type { IntegerDots, MultiplyTuning } from "../multiply.ts";
import { rowsFor, writeMatrix } from "../testing/matrix-fixture.ts";
import { runFeedForward } from "../testing/run-feed-forward.ts";
import { runMultiply } from "../testing/run-multiply.ts";
import { sharedSwiftShaderDevice } from "../testing/swiftshader-device.ts";
import { allCandidates } from "./tune-products.ts";

const newPath = scratchDirectory();

/** More blocks than lanes, and no whole tile; as many rows as take two of the smaller tiles. */
const shape = [48, 1120] as const;
const numRows = 19;

/** Of dots by small matrices, which few devices have, multiply-matrix.driver.test.ts tells. */
function dotsOf(dtype: WeightDtype): readonly IntegerDots[] {
  return dtype === "bf16" ? ["packed"] : ["packed", "plain"];
}

for (const dtype of ["bf16", "q8", "q4"] satisfies WeightDtype[]) {
  for (const dots of dotsOf(dtype)) {
    test(`${dtype}, ${dots} dots: every size gives the same bits`, async () => {
      const device = await sharedSwiftShaderDevice();
      const fixture = await writeMatrix(newPath(), dtype, shape);
      const matrix = await fixture.upload(device);
      const x = rowsFor(fixture.source, numRows);
      const run = (
        rows: number,
        sizes: { fewRows: readonly number[]; tileRows: readonly number[] },
      ) => {
        const data = x.data.subarray(0, (x.data.length / numRows) * rows);
        return runMultiply(device, matrix, { ...x, rows, data }, { tuning: { dots, ...sizes } });
      };
      const expected = await runMultiply(device, matrix, x);
      for (const rows of allCandidates.fewRows) {
        const found = await run(rows, { fewRows: [rows], tileRows: [16] });
        assertSameBits(found, expected.subarray(0, rows * shape[0]), `${rows} rows`);
      }
      for (const rows of allCandidates.tileRows) {
        const found = await run(numRows, { fewRows: [], tileRows: [rows] });
        assertSameBits(found, expected, `tiles of ${rows}`);
      }
    }, 300_000);
  }
}

for (const dtype of ["bf16", "q8", "q4"] satisfies WeightDtype[]) {
  test(`${dtype}: an expert's kernels of every size give the bits of tiles`, async () => {
    const device = await sharedSwiftShaderDevice();
    const run = (numRows: number, fewRows: readonly number[], dots: IntegerDots) => {
      // Of w2 only the tiles: its other kernels are those of any product.
      const down: MultiplyTuning = { dots: "packed", fewRows: [], tileRows: [16] };
      const tuning = { up: { ...down, dots, fewRows }, down };
      return runFeedForward(device, dtype, { numRows, tuning });
    };
    const expected = await run(8, [], "packed");
    const values = new Set(new Uint16Array(expected.buffer));
    assert(values.size > 100, "the rows differ");
    const three = await run(3, [4], "packed");
    assertSameBits(three, expected.subarray(0, (expected.length / 8) * 3), "three rows of four");
    for (const dots of dotsOf(dtype)) {
      for (const rows of allCandidates.fewRows) {
        const found = await run(rows, [rows], dots);
        const what = `${rows} rows, ${dots} dots`;
        assertSameBits(found, expected.subarray(0, (expected.length / 8) * rows), what);
      }
    }
  }, 300_000);
}

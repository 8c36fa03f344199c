// An expert engine's answers against its own: what must not change a bit of a row.
import assert from "node:assert/strict";
import { type ActivationRows, toExpertId } from "@octet/core";
import { assertSameBits, copyBytes } from "./compare.ts";
import {
  allExperts,
  type ExpertRules,
  expertRows,
  fixtureSeed,
  sliceRows,
} from "./expert-fixture.ts";
import { assertRefuses } from "./kernel-error-code.ts";
import { seededRandom } from "./seeded-random.ts";
import { writeSyntheticModel } from "./synthetic-model.ts";

export const expertInvarianceRules: ExpertRules = {
  "a row's bits do not depend on the rows beside it": async ({ openEngine, call }) => {
    const engine = await openEngine();
    const whole = await engine.forward(call);
    const numRows = call.input.rows;
    for (const size of [1, 2, 3, 4, 6, 8, 13, 16, 17, 32]) {
      for (let first = 0; first < numRows; first += size) {
        const end = Math.min(first + size, numRows);
        const part = await engine.forward({ ...call, input: sliceRows(call.input, first, end) });
        const expected = sliceRows(whole, first, end);
        assertSameBits(part.data, expected.data, `rows ${first} to ${end} of ${numRows}`);
      }
    }
    await engine.close();
  },

  "every engine gives the same bits, on any number of threads": async (fixture) => {
    const { openEngine, call, threadCounts } = fixture;
    const outputs: ActivationRows[] = [];
    for (const threads of threadCounts) {
      const engine = await openEngine({ threads });
      outputs.push(await engine.forward(call));
      await engine.close();
    }
    outputs.forEach((output, i) => {
      assertSameBits(output.data, outputs[0]!.data, `engine ${i}, ${threadCounts[i]} threads`);
    });
  },

  "an engine of two experts answers as an engine of all": async ({ openEngine, call }) => {
    const expertIds = [toExpertId(2, 4), toExpertId(0, 4)];
    const all = await openEngine();
    const two = await openEngine({ expertIds });
    for (const expertId of expertIds) {
      const actual = await two.forward({ ...call, expertId });
      const expected = await all.forward({ ...call, expertId });
      assertSameBits(actual.data, expected.data, `expert ${expertId}`);
    }
    await all.close();
    await two.close();
  },

  "experts in files of their own answer as experts of one file": async (fixture) => {
    const { open, openEngine, call, model, weightDtype, newPath } = fixture;
    const whole = await openEngine();
    const expertIds = allExperts(model);
    const weights = await Promise.all(
      expertIds.map(async (expertId) => {
        const path = newPath();
        const written = { path, model, weightDtype, seed: fixtureSeed, parts: "experts" } as const;
        const { tensors, ...file } = await writeSyntheticModel(written);
        const own = [...tensors].filter(([name]) => name.includes(`.experts.${expertId}.`));
        return { ...file, tensors: new Map(own) };
      }),
    );
    const apart = await open({ model, weightDtype, weights, expertIds, threads: 2 });
    assert.equal(apart.weightBytes, whole.weightBytes);
    for (const expertId of expertIds) {
      const actual = await apart.forward({ ...call, expertId });
      const expected = await whole.forward({ ...call, expertId });
      assertSameBits(actual.data, expected.data, `expert ${expertId}`);
    }
    const missing = { model, weightDtype, weights: weights.slice(1), expertIds, threads: 1 };
    await assertRefuses("bad-weights", () => open(missing), "expert 0 in none of the files");
    await apart.close();
    await whole.close();
  },

  "random batches on any number of threads give each row the bits it has alone": async (
    fixture,
  ) => {
    const { openEngine, model, weightDtype, call, threadCounts } = fixture;
    const batchMax = 210; // more than the engines take through the matrices at once
    const numRows = 64; // of which a batch has some, several times
    const input = expertRows(model, weightDtype, { numRows, seed: 31 });
    const engines = await Promise.all(threadCounts.map((threads) => openEngine({ threads })));
    const alone: Uint8Array[] = [];
    for (let row = 0; row < numRows; row++) {
      const part = { ...call, input: sliceRows(input, row, row + 1) };
      alone.push((await engines[0]!.forward(part)).data);
    }
    const random = seededRandom(32);
    for (let batch = 0; batch < 6 * engines.length; batch++) {
      const size = 1 + Math.floor(random.uniform() ** 3 * batchMax);
      const rows = Array.from({ length: size }, () => random.integer(numRows));
      const data = Buffer.concat(rows.map((row) => sliceRows(input, row, row + 1).data));
      const gathered = { ...call, input: { ...input, rows: size, data } };
      const whole = await engines[batch % engines.length]!.forward(gathered);
      rows.forEach((row, at) => {
        const found = sliceRows(whole, at, at + 1).data;
        assertSameBits(found, alone[row]!, `batch ${batch} of ${size}, row ${row} at ${at}`);
      });
    }
    for (const engine of engines) await engine.close();
  },

  "calls made at once answer as calls made in turn, in order": async ({ openEngine, call }) => {
    const engine = await openEngine({ threads: 2 });
    const calls = Array.from({ length: 12 }, (_, i) => ({
      layer: i % 2,
      expertId: toExpertId(i % 4, 4),
      input: sliceRows(call.input, i, 2 * i + 1),
    }));
    const inTurn: ActivationRows[] = [];
    for (const each of calls) inTurn.push(await engine.forward(each));
    const answered: number[] = [];
    const atOnce = await Promise.all(
      calls.map(async (each, i) => {
        const output = await engine.forward(each);
        answered.push(i);
        return output;
      }),
    );
    atOnce.forEach((output, i) => {
      assertSameBits(output.data, inTurn[i]!.data, `call ${i}`);
    });
    assert.deepEqual(answered, [...calls.keys()], "calls are answered in the order made");
    await engine.close();
  },

  "rows may lie at any address and are left as they were": async ({ openEngine, call }) => {
    const engine = await openEngine();
    const expected = await engine.forward(call);
    const { input } = call;
    for (const offset of [1, 2, 3, 7]) {
      const data = new Uint8Array(input.data.length + offset).subarray(offset);
      data.set(input.data);
      const output = await engine.forward({ ...call, input: { ...input, data } });
      assertSameBits(output.data, expected.data, `at an address ending in ${offset}`);
      assertSameBits(data, input.data, "the input");
    }
    await engine.close();
  },

  "every answer is memory of its own": async ({ openEngine, call }) => {
    const engine = await openEngine();
    const first = await engine.forward(call);
    const kept = copyBytes(first.data);
    const second = await engine.forward({ ...call, layer: 0 });
    assertSameBits(first.data, kept, "an answer after the next call");
    assert.notEqual(Buffer.compare(first.data, second.data), 0, "layers have their own weights");
    await engine.close();
  },

  "zeros give zeros": async ({ openEngine, call, model }) => {
    const engine = await openEngine();
    const { input } = call;
    const zeros = { ...input, data: new Uint8Array(input.data.length) };
    const output = await engine.forward({ ...call, input: zeros });
    // Minus zero is zero too: clear the sign, the top bit of each value's last byte.
    const valueBytes = output.data.length / (input.rows * model.hiddenSize);
    const isZero = output.data.every((byte, i) =>
      i % valueBytes === valueBytes - 1 ? (byte & 0x7f) === 0 : byte === 0,
    );
    assert(isZero, "w2(silu(0) * 0) is 0");
    await engine.close();
  },
};

// An engine's answers against its own: what must not change a bit of a row.
import assert from "node:assert/strict";
import { type ActivationRows, toExpertId } from "@octet/core";
import { test } from "vitest";
import type { ExpertCall } from "../expert-engine.ts";
import { assertSameBits, copyBytes } from "./compare.ts";
import type { OpenExpertEngine } from "./expert-engine-conformance.ts";
import { expertRows, openExperts, sliceRows, weightDtypes } from "./expert-fixture.ts";
import { scratchDirectory } from "./scratch-directory.ts";
import { tinyModel } from "./tiny-model.ts";

export function expertBatchInvarianceTests(open: OpenExpertEngine): void {
  const newPath = scratchDirectory();
  const model = tinyModel({ hiddenSize: 96, intermediateSize: 160, numExperts: 4 });
  const numRows = 37;

  for (const weightDtype of weightDtypes) {
    const base = { model, weightDtype, seed: 11 };
    const input = expertRows(model, weightDtype, { numRows, seed: 5 });
    const call: ExpertCall = { layer: 1, expertId: toExpertId(2, 4), input };

    test(`expert ${weightDtype}: a row's bits do not depend on the rows beside it`, async () => {
      const engine = await openExperts(open, { path: newPath(), ...base });
      const whole = await engine.forward(call);
      for (const size of [1, 2, 3, 4, 6, 8, 13, 16, 17, 32]) {
        for (let first = 0; first < numRows; first += size) {
          const end = Math.min(first + size, numRows);
          const part = await engine.forward({ ...call, input: sliceRows(input, first, end) });
          const expected = sliceRows(whole, first, end);
          assertSameBits(part.data, expected.data, `rows ${first} to ${end} of ${numRows}`);
        }
      }
      await engine.close();
    });

    test(`expert ${weightDtype}: 1 to 4 threads give the same bits`, async () => {
      const outputs: ActivationRows[] = [];
      for (const threads of [1, 2, 3, 4]) {
        const engine = await openExperts(open, { path: newPath(), ...base, threads });
        outputs.push(await engine.forward(call));
        await engine.close();
      }
      for (const output of outputs) assertSameBits(output.data, outputs[0]!.data, "by threads");
    });

    test(`expert ${weightDtype}: an engine of two experts answers as an engine of all`, async () => {
      const all = await openExperts(open, { path: newPath(), ...base });
      const expertIds = [toExpertId(2, 4), toExpertId(0, 4)];
      const two = await openExperts(open, { path: newPath(), ...base, expertIds });
      for (const expertId of expertIds) {
        const [a, b] = [
          await two.forward({ ...call, expertId }),
          await all.forward({ ...call, expertId }),
        ];
        assertSameBits(a.data, b.data, `expert ${expertId}`);
      }
      await all.close();
      await two.close();
    });

    test(`expert ${weightDtype}: calls made at once answer as calls made in turn`, async () => {
      const engine = await openExperts(open, { path: newPath(), ...base, threads: 2 });
      const calls = Array.from({ length: 12 }, (_, i) => ({
        layer: i % 2,
        expertId: toExpertId(i % 4, 4),
        input: sliceRows(input, i, 2 * i + 1),
      }));
      const inTurn: ActivationRows[] = [];
      for (const each of calls) inTurn.push(await engine.forward(each));
      const atOnce = await Promise.all(calls.map((each) => engine.forward(each)));
      atOnce.forEach((output, i) => {
        assertSameBits(output.data, inTurn[i]!.data, `call ${i}`);
      });
      await engine.close();
    });

    test(`expert ${weightDtype}: rows may lie at any address and are left as they were`, async () => {
      const engine = await openExperts(open, { path: newPath(), ...base });
      const expected = await engine.forward(call);
      for (const offset of [1, 2, 3, 7]) {
        const data = new Uint8Array(input.data.length + offset).subarray(offset);
        data.set(input.data);
        const output = await engine.forward({ ...call, input: { ...input, data } });
        assertSameBits(output.data, expected.data, `at an address ending in ${offset}`);
        assertSameBits(data, input.data, "the input");
      }
      await engine.close();
    });

    test(`expert ${weightDtype}: every answer is memory of its own`, async () => {
      const engine = await openExperts(open, { path: newPath(), ...base });
      const first = await engine.forward(call);
      const kept = copyBytes(first.data);
      const second = await engine.forward({ ...call, layer: 0 });
      assertSameBits(first.data, kept, "an answer after the next call");
      assert.notEqual(Buffer.compare(first.data, second.data), 0, "layers have their own weights");
      await engine.close();
    });

    test(`expert ${weightDtype}: zeros give zeros`, async () => {
      const engine = await openExperts(open, { path: newPath(), ...base });
      const zeros = { ...input, data: new Uint8Array(input.data.length) };
      const output = await engine.forward({ ...call, input: zeros });
      // Minus zero is zero too: clear the sign, the top bit of each value's last byte.
      const valueBytes = output.data.length / (numRows * model.hiddenSize);
      const magnitudes = output.data.map((byte, i) =>
        i % valueBytes === valueBytes - 1 ? byte & 0x7f : byte,
      );
      assert(magnitudes.every((byte) => byte === 0));
      await engine.close();
    });
  }
}

// What every expert engine refuses, and with which code.
import assert from "node:assert/strict";
import { truncate } from "node:fs/promises";
import { type ExpertId, replyDtype, toBf16Bits, toExpertId, type WeightFile } from "@octet/core";
import { test } from "vitest";
import { copyBytes } from "./compare.ts";
import type { OpenExpertEngine } from "./expert-engine-conformance.ts";
import { allExperts, expertRows, openExperts, weightDtypes } from "./expert-fixture.ts";
import { assertRefuses } from "./kernel-error-code.ts";
import { scratchDirectory } from "./scratch-directory.ts";
import { writeSyntheticModel } from "./synthetic-model.ts";
import { tinyModel } from "./tiny-model.ts";

export function expertRefusalTests(open: OpenExpertEngine): void {
  const newPath = scratchDirectory();
  const model = tinyModel({ numExperts: 4 });

  for (const weightDtype of weightDtypes) {
    const base = { model, weightDtype, seed: 3 };
    const input = expertRows(model, weightDtype, { numRows: 3, seed: 1 });
    const call = { layer: 0, expertId: toExpertId(1, 4), input };
    const otherDtype = weightDtype === "f32" ? "bf16" : "f32";

    test(`expert ${weightDtype}: describes itself as it was opened`, async () => {
      const expertIds = [toExpertId(1, 4), toExpertId(3, 4)];
      const engine = await openExperts(open, { path: newPath(), ...base, expertIds });
      assert.deepEqual([...engine.expertIds], expertIds);
      assert.equal(engine.weightDtype, weightDtype);
      assert.deepEqual(engine.model, model);
      assert(engine.weightBytes > 0);
      assert(engine.device.length > 0);
      const output = await engine.forward(call);
      const { dtype, rows, width } = output;
      assert.deepEqual([dtype, rows, width], [replyDtype(weightDtype), 3, model.hiddenSize]);
      await engine.close();
    });

    test(`expert ${weightDtype}: a layer or expert it has not is "not-held"`, async () => {
      const expertIds = [toExpertId(1, 4)];
      const engine = await openExperts(open, { path: newPath(), ...base, expertIds });
      for (const layer of [-1, model.numLayers, 0.5, Number.NaN]) {
        await assertRefuses("not-held", () => engine.forward({ ...call, layer }), `layer ${layer}`);
      }
      for (const id of [0, 2, 3, 4, -1, 1.5]) {
        const expertId = id as ExpertId; // some of these no correct caller can make
        await assertRefuses(
          "not-held",
          () => engine.forward({ ...call, expertId }),
          `expert ${id}`,
        );
      }
      await engine.forward(call);
      await engine.close();
    });

    test(`expert ${weightDtype}: rows of another dtype, width or size are "bad-shape"`, async () => {
      const engine = await openExperts(open, { path: newPath(), ...base });
      const wrong = {
        "another dtype": expertRows(model, otherDtype, { numRows: 3, seed: 1 }),
        "another width": expertRows(tinyModel({ hiddenSize: 32 }), weightDtype, {
          numRows: 3,
          seed: 1,
        }),
        "no rows": { ...input, rows: 0, data: new Uint8Array(0) },
        "half a row": { ...input, rows: 1.5 },
        "fewer rows than said": { ...input, rows: 4 },
        "more rows than said": { ...input, rows: 2 },
        "a byte too few": { ...input, data: input.data.subarray(1) },
      };
      for (const [what, rows] of Object.entries(wrong)) {
        await assertRefuses("bad-shape", () => engine.forward({ ...call, input: rows }), what);
      }
      await engine.forward(call);
      await engine.close();
    });

    test(`expert ${weightDtype}: a result with NaN or infinity is "non-finite"`, async () => {
      const engine = await openExperts(open, { path: newPath(), ...base });
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30]) {
        const data = copyBytes(input.data);
        const view = new DataView(data.buffer);
        const lastRow = (data.length / 3) * 2;
        // The last row's first value, or for q8 its first scale; 1e30 overflows in w1 x * w3 x.
        if (weightDtype === "f32") view.setFloat32(lastRow, value, true);
        if (weightDtype === "bf16") view.setUint16(lastRow, toBf16Bits(value), true);
        if (weightDtype === "q8") view.setFloat32(lastRow + model.hiddenSize, value, true);
        const bad = { ...call, input: { ...input, data } };
        await assertRefuses("non-finite", () => engine.forward(bad), `a row with ${value}`);
      }
      await engine.forward(call);
      await engine.close();
    });

    test(`expert ${weightDtype}: close waits for calls under way, and later calls are "closed"`, async () => {
      const engine = await openExperts(open, { path: newPath(), ...base });
      const expected = await engine.forward(call);
      let answered = 0;
      const underWay = Array.from({ length: 4 }, async () => {
        const output = await engine.forward(call);
        answered += 1;
        return output;
      });
      await engine.close();
      assert.equal(answered, 4, "calls made before close are answered before it resolves");
      for (const output of await Promise.all(underWay)) {
        assert.equal(Buffer.compare(output.data, expected.data), 0);
      }
      await assertRefuses("closed", () => engine.forward(call), "a call after close");
      await engine.close();
    });

    test(`expert ${weightDtype}: missing, misshapen or cut-off weights are "bad-weights"`, async () => {
      const path = newPath();
      const weights = await writeSyntheticModel({ path, ...base, parts: "experts" });
      const openWith = (file: WeightFile) =>
        open({ model, weightDtype, weights: file, expertIds: allExperts(model), threads: 1 });
      const name = "model.layers.1.block_sparse_moe.experts.2.w2.weight";
      const tensor = weights.tensors.get(name)!;
      const without = new Map(weights.tensors);
      without.delete(name);
      await assertRefuses("bad-weights", () => openWith({ ...weights, tensors: without }), "no w2");
      const wrong = {
        "another shape": { ...tensor, shape: [tensor.shape[0]!, tensor.shape[1]! * 2] },
        "another dtype": { ...tensor, dtype: "f16" as const },
        "past the end": { ...tensor, offsetBytes: weights.sizeBytes },
      };
      for (const [what, location] of Object.entries(wrong)) {
        const tensors = new Map(weights.tensors).set(name, location);
        await assertRefuses("bad-weights", () => openWith({ ...weights, tensors }), what);
      }
      await truncate(path, weights.sizeBytes / 2);
      await assertRefuses("bad-weights", () => openWith(weights), "a file cut in half");
      const absent = { ...weights, path: newPath() };
      await assertRefuses("bad-weights", () => openWith(absent), "a file that is not there");
    });
  }

  test('expert q8: widths that are not whole blocks are "unsupported"', async () => {
    const odd = tinyModel({ intermediateSize: 72 });
    const weights = await writeSyntheticModel({
      path: newPath(),
      model: odd,
      weightDtype: "f32",
      seed: 1,
    });
    const options = { model: odd, weights, expertIds: allExperts(odd), threads: 1 };
    await assertRefuses("unsupported", () => open({ ...options, weightDtype: "q8" }), "I = 72");
  });
}

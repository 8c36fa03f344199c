// What every expert engine says of itself, what it refuses, and with which code.
import assert from "node:assert/strict";
import { truncate } from "node:fs/promises";
import {
  type ActivationRows,
  activationRowBytes,
  type ExpertId,
  replyDtype,
  tensorAlignmentBytes,
  toBf16Bits,
  toExpertId,
  type WeightFile,
} from "@octet/core";
import { assertSameBits, copyBytes } from "./compare.ts";
import { allExperts, type ExpertRules, expertRows } from "./expert-fixture.ts";
import { assertRefuses } from "./kernel-error-code.ts";
import { firstAlignedPastEnd, writeSyntheticModel } from "./synthetic-model.ts";
import { tinyModel } from "./tiny-model.ts";

export const expertRefusalRules: ExpertRules = {
  "describes itself as it was opened": async ({ openEngine, call, model, weightDtype }) => {
    const expertIds = [toExpertId(2, 4), toExpertId(3, 4)];
    const engine = await openEngine({ expertIds });
    assert.deepEqual([...engine.expertIds], expertIds);
    assert.equal(engine.weightDtype, weightDtype);
    assert.deepEqual(engine.model, model);
    assert(engine.weightBytes > 0);
    assert(engine.device.length > 0);
    const { dtype, rows, width, data } = await engine.forward(call);
    assert.deepEqual([dtype, rows, width], [replyDtype(weightDtype), 37, model.hiddenSize]);
    assert.equal(data.length, rows * activationRowBytes(dtype, width));
    await engine.close();
  },

  'a layer or expert it has not is "not-held"': async ({ openEngine, call, model }) => {
    const engine = await openEngine({ expertIds: [call.expertId] });
    for (const layer of [-1, model.numLayers, 0.5, Number.NaN]) {
      await assertRefuses("not-held", () => engine.forward({ ...call, layer }), `layer ${layer}`);
    }
    for (const id of [0, 1, 3, 4, -1, 1.5]) {
      const expertId = id as ExpertId; // some of these no correct caller can make
      await assertRefuses("not-held", () => engine.forward({ ...call, expertId }), `expert ${id}`);
    }
    await engine.forward(call);
    await engine.close();
  },

  'rows of another dtype, width or size are "bad-shape"': async (fixture) => {
    const { openEngine, call, model, weightDtype } = fixture;
    const engine = await openEngine();
    const { input } = call;
    const otherDtype = input.dtype === "f32" ? "bf16" : "f32";
    const numRows = input.rows;
    const narrow = tinyModel({ hiddenSize: 32 });
    const wrong: Record<string, ActivationRows> = {
      "another dtype": expertRows(model, otherDtype, { numRows, seed: 1 }),
      "another width": expertRows(narrow, weightDtype, { numRows, seed: 1 }),
      "no rows": { ...input, rows: 0, data: new Uint8Array(0) },
      "half a row": { ...input, rows: 1.5 },
      "fewer rows than said": { ...input, rows: numRows + 1 },
      "more rows than said": { ...input, rows: numRows - 1 },
      "a byte too few": { ...input, data: input.data.subarray(1) },
    };
    for (const [what, rows] of Object.entries(wrong)) {
      await assertRefuses("bad-shape", () => engine.forward({ ...call, input: rows }), what);
    }
    await engine.forward(call);
    await engine.close();
  },

  'a result with NaN or infinity is "non-finite"': async ({ openEngine, call }) => {
    const engine = await openEngine();
    const { input } = call;
    const lastRow = (input.data.length / input.rows) * (input.rows - 1);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30]) {
      const data = copyBytes(input.data);
      const view = new DataView(data.buffer);
      // The last row's first value, or for quantised rows its first scale; 1e30 overflows in w1 x * w3 x.
      if (input.dtype === "f32") view.setFloat32(lastRow, value, true);
      if (input.dtype === "bf16") view.setUint16(lastRow, toBf16Bits(value), true);
      if (input.dtype === "q8") view.setFloat32(lastRow + input.width, value, true);
      const bad = { ...call, input: { ...input, data } };
      await assertRefuses("non-finite", () => engine.forward(bad), `a row with ${value}`);
    }
    await engine.forward(call);
    await engine.close();
  },

  'close waits for calls under way, and later calls are "closed"': async (fixture) => {
    const { openEngine, call } = fixture;
    const engine = await openEngine({ threads: 2 });
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
      assertSameBits(output.data, expected.data, "an answer under way");
    }
    await assertRefuses("closed", () => engine.forward(call), "a call after close");
    await engine.close();
  },

  'missing, misshapen or cut-off weights are "bad-weights"': async (fixture) => {
    const { open, newPath, model, weightDtype } = fixture;
    const path = newPath();
    const written = { path, model, weightDtype, seed: 3, parts: "experts" } as const;
    const weights = await writeSyntheticModel(written);
    const openWith = (file: WeightFile) =>
      open({ model, weightDtype, weights: [file], expertIds: allExperts(model), threads: 1 });
    const name = "model.layers.1.block_sparse_moe.experts.2.w2.weight";
    const tensor = weights.tensors.get(name)!;
    const without = new Map(weights.tensors);
    without.delete(name);
    await assertRefuses("bad-weights", () => openWith({ ...weights, tensors: without }), "no w2");
    const wrong = {
      "another shape": { ...tensor, shape: tensor.shape.toReversed() },
      "another dtype": {
        ...tensor,
        dtype: tensor.dtype === "f16" ? ("bf16" as const) : ("f16" as const),
      },
      "past the end": { ...tensor, offsetBytes: firstAlignedPastEnd(weights) },
      "not aligned": { ...tensor, offsetBytes: tensor.offsetBytes + tensorAlignmentBytes / 2 },
    };
    for (const [what, location] of Object.entries(wrong)) {
      const tensors = new Map(weights.tensors).set(name, location);
      await assertRefuses("bad-weights", () => openWith({ ...weights, tensors }), what);
    }
    await truncate(path, weights.sizeBytes / 2);
    await assertRefuses("bad-weights", () => openWith(weights), "a file cut in half");
    const absent = { ...weights, path: newPath() };
    await assertRefuses("bad-weights", () => openWith(absent), "a file that is not there");
  },

  'quantised widths that are not whole blocks are "unsupported"': async ({ open, newPath }) => {
    const model = tinyModel({ intermediateSize: 72 });
    const written = { path: newPath(), model, weightDtype: "f32", seed: 1 } as const;
    const weights = await writeSyntheticModel(written);
    const options = { model, weights: [weights], expertIds: allExperts(model), threads: 1 };
    for (const weightDtype of ["q8", "q4"] as const) {
      await assertRefuses("unsupported", () => open({ ...options, weightDtype }), "I = 72");
    }
  },
};

// What every attention engine refuses to open.
import { truncate } from "node:fs/promises";
import {
  type ModelConfig,
  tensorAlignmentBytes,
  type WeightDtype,
  type WeightFile,
  weightDtypes,
} from "@octet/core";
import { test } from "vitest";
import { fixturePool } from "./attention-fixture.ts";
import { assertRefuses } from "./kernel-error-code.ts";
import type { OpenAttentionEngine } from "./open-engine.ts";
import { firstAlignedPastEnd, writeSyntheticModel } from "./synthetic-model.ts";
import { tinyModel } from "./tiny-model.ts";

export function attentionWeightRefusalTests(
  open: OpenAttentionEngine,
  newPath: () => string,
): void {
  const openWith = (model: ModelConfig, weightDtype: WeightDtype, weights: WeightFile) =>
    open({ model, weightDtype, weights, ...fixturePool, threads: 1 });

  for (const weightDtype of weightDtypes) {
    const rule = 'missing, misshapen or cut-off weights are "bad-weights"';
    test(`attention ${weightDtype}: ${rule}`, async () => {
      const model = tinyModel();
      const path = newPath();
      const weights = await writeSyntheticModel({
        path,
        model,
        weightDtype,
        seed: 3,
        parts: "attention",
      });
      for (const name of [
        "model.embed_tokens.weight",
        "model.layers.1.self_attn.k_proj.weight",
        "model.layers.1.block_sparse_moe.gate.weight",
        "lm_head.weight",
      ]) {
        const tensor = weights.tensors.get(name)!;
        const without = new Map(weights.tensors);
        without.delete(name);
        await assertRefuses(
          "bad-weights",
          () => openWith(model, weightDtype, { ...weights, tensors: without }),
          `without ${name}`,
        );
        const wrong = {
          "another shape": { ...tensor, shape: tensor.shape.toReversed() },
          "another dtype": {
            ...tensor,
            dtype: tensor.dtype === "f16" ? ("bf16" as const) : ("f16" as const),
          },
          "past the end": { ...tensor, offsetBytes: firstAlignedPastEnd(weights) },
        };
        for (const [what, location] of Object.entries(wrong)) {
          const tensors = new Map(weights.tensors).set(name, location);
          const run = () => openWith(model, weightDtype, { ...weights, tensors });
          await assertRefuses("bad-weights", run, `${name}: ${what}`);
        }
      }
      const name = "model.layers.1.self_attn.k_proj.weight";
      const tensor = weights.tensors.get(name)!;
      const moved = { ...tensor, offsetBytes: tensor.offsetBytes + tensorAlignmentBytes / 2 };
      const tensors = new Map(weights.tensors).set(name, moved);
      const unaligned = () => openWith(model, weightDtype, { ...weights, tensors });
      await assertRefuses("bad-weights", unaligned, `${name}: not aligned`);
      await truncate(path, weights.sizeBytes / 2);
      const cut = () => openWith(model, weightDtype, weights);
      await assertRefuses("bad-weights", cut, "a file cut in half");
      const absent = { ...weights, path: newPath() };
      const missing = () => openWith(model, weightDtype, absent);
      await assertRefuses("bad-weights", missing, "a file that is not there");
    });
  }

  test('attention: shapes that heads, RoPE or blocks do not fit are "unsupported"', async () => {
    const unsupported: [string, ModelConfig, WeightDtype][] = [
      ["4 query heads over 3", tinyModel({ numKeyValueHeads: 3 }), "f32"],
      ["an odd headDim", tinyModel({ headDim: 15 }), "f32"],
      ["K of 0", tinyModel({ numExpertsPerToken: 0 }), "f32"],
      ["K above E", tinyModel({ numExpertsPerToken: 9 }), "f32"],
      ["q8 heads of 40 together", tinyModel({ headDim: 10 }), "q8"],
      ["q8 of H=40", tinyModel({ hiddenSize: 40 }), "q8"],
      ["q4 heads of 40 together", tinyModel({ headDim: 10 }), "q4"],
      ["q4 of H=40", tinyModel({ hiddenSize: 40 }), "q4"],
    ];
    for (const [what, model, weightDtype] of unsupported) {
      const weights = await writeSyntheticModel({
        path: newPath(),
        model,
        weightDtype: "f32",
        seed: 3,
        parts: "attention",
      });
      await assertRefuses("unsupported", () => openWith(model, weightDtype, weights), what);
    }
  });
}

import assert from "node:assert/strict";
import { test, vi } from "vitest";
import { scratchDirectory } from "../conformance/scratch-directory.ts";
import { writeSyntheticModel } from "../conformance/synthetic-model.ts";
import { tinyModel } from "../conformance/tiny-model.ts";
import { attentionLoader } from "./attention-loaded.ts";
import type { AttentionCall, LayerAnswer } from "./attention-protocol.ts";
import { deviceRowBytes } from "./device-rows.ts";
import { sharedSwiftShaderDevice, swiftShaderDevices } from "./testing/swiftshader-device.ts";

vi.setConfig({ testTimeout: 120_000 }); // SwiftShader compiles every kernel twice
const newPath = scratchDirectory();
const newDevice = swiftShaderDevices();
const model = tinyModel({ numLayers: 1 });

// Parameters are of shaders: one dtype for those of dense weights, and one for those of panels.
for (const weightDtype of ["f32", "q8"] as const) {
  test(`attention ${weightDtype}: parameters from uniforms give the bits of immediates`, async () => {
    const weights = await writeSyntheticModel({ path: newPath(), model, weightDtype, seed: 3 });
    const load = { model, weightDtype, weights, numBlocks: 4, blockSizeTokens: 16 };
    const run = async (withoutImmediates: boolean) => {
      const device = withoutImmediates
        ? await newDevice({ withoutImmediates })
        : await sharedSwiftShaderDevice();
      assert.equal(device.parameters !== undefined, withoutImmediates);
      const loaded = await attentionLoader(load)(device, () => {});
      const call = async (call: AttentionCall) => (await loaded.call(call)).body;
      const replyBytes = deviceRowBytes(weightDtype === "f32" ? "f32" : "bf16", model.hiddenSize);
      const sequences = [5, 1].map((numTokens, index) => ({
        tokenIds: Int32Array.from({ length: numTokens }, (_, i) => 7 * index + i),
        startPosition: 0,
        blockTable: Int32Array.of(3 - index),
        logits: "last" as const,
      }));
      const replies = new Uint8Array(6 * model.numExpertsPerToken * replyBytes);
      const step = { stepId: 1, replies };
      const layer = await call({ kind: "layer", layer: 0, sequences, ...step });
      const { expertIds } = layer as LayerAnswer;
      assert.equal(expertIds.length, 6 * model.numExpertsPerToken);
      const top = await call({ kind: "finish", topCount: 3, ...step });
      loaded.destroy();
      return { layer, top };
    };
    assert.deepEqual(await run(true), await run(false));
  });
}

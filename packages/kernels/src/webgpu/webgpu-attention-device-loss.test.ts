import assert from "node:assert/strict";
import { test, vi } from "vitest";
import type { AttentionEngine, StepSequence } from "../attention-engine.ts";
import { assertSameBits } from "../conformance/compare.ts";
import { assertRefuses } from "../conformance/kernel-error-code.ts";
import { part, planSequences } from "../conformance/planned-sequence.ts";
import { answerBatches, runStep, tokenAnswers } from "../conformance/run-step.ts";
import { scratchDirectory } from "../conformance/scratch-directory.ts";
import { writeSyntheticModel } from "../conformance/synthetic-model.ts";
import { tinyModel } from "../conformance/tiny-model.ts";
import { useSwiftShader } from "./device/swiftshader.ts";
import { destroyGpuDevice } from "./thread/thread-host.ts";
import { openWebGpuAttentionEngine } from "./webgpu-attention-engine.ts";

useSwiftShader(process.env);
vi.setConfig({ testTimeout: 120_000 }); // a device that is opened again compiles its kernels again
const newPath = scratchDirectory();
const model = tinyModel();
const weightDtype = "q8";
const answer = tokenAnswers(model, weightDtype);
const plan = { lengths: [37, 20], blockSizeTokens: 16, seed: 61 };

async function openEngine(): Promise<AttentionEngine> {
  const path = newPath();
  const weights = await writeSyntheticModel({ path, model, weightDtype, seed: 8 });
  const pool = { numBlocks: 24, blockSizeTokens: 16 };
  const options = { model, weightDtype, weights, ...pool, threads: 1 } as const;
  return openWebGpuAttentionEngine({ ...options, allowSoftwareAdapter: true });
}

const [a, b] = planSequences(model, plan);
const run = (engine: AttentionEngine, sequences: StepSequence[]) =>
  runStep(engine, sequences, answer);

test("a step under way is device-lost, and so is every step on a cache that went with it", async () => {
  const engine = await openEngine();
  const chunks = async () => [
    ...(await run(engine, [part(a!, "all", { end: 30 })])).logits,
    ...(await run(engine, [part(a!, "all", { first: 30 })])).logits,
  ];
  const expected = Float32Array.from(await chunks());
  await run(engine, [part(a!, "none", { end: 30 }), part(b!, "none", { end: 19 })]);
  const step = engine.openStep([part(a!, "all", { first: 30 })]);
  const dispatch = await step.runLayer(0, []);
  const outputs = await answerBatches(0, dispatch, answer);
  await destroyGpuDevice();
  await assertRefuses("device-lost", () => step.runLayer(1, outputs), "the next layer");
  await engine.ready?.();
  const later = () => run(engine, [part(b!, "all", { first: 19 })]);
  await assertRefuses("device-lost", later, "a sequence that no step was computing");
  const mid = () => run(engine, [part(a!, "all", { first: 30 })]);
  await assertRefuses("device-lost", mid, "the step once more");
  const again = Float32Array.from(await chunks());
  assertSameBits(again, expected, "from the first token on");
  await engine.close();
});

test("an engine whose device is there is ready at once; one that is closed never", async () => {
  const engine = await openEngine();
  assert(engine.ready !== undefined);
  await engine.ready();
  for (let i = 0; i < 2; i++) {
    await destroyGpuDevice();
    await engine.ready();
    await run(engine, [part(b!)]);
  }
  await engine.close();
  await assertRefuses("closed", () => engine.ready?.(), "ready after close");
});

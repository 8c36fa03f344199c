import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readModelConfig } from "./hugging-face-config.ts";
import { expectRefusal } from "./testing/expect-refusal.ts";
import { tinyConfig } from "./testing/synthetic-checkpoint.ts";
import { createTemporaryFolder } from "./testing/temporary-folder.ts";

/** The model of {@link tinyConfig} with changes; a key set to undefined is left out. */
function read(changes: Record<string, unknown>, generation?: unknown) {
  const dir = createTemporaryFolder();
  writeFileSync(join(dir, "config.json"), JSON.stringify({ ...tinyConfig, ...changes }));
  if (generation !== undefined) {
    writeFileSync(join(dir, "generation_config.json"), JSON.stringify(generation));
  }
  return readModelConfig(dir);
}

test("the config of the published Mixtral 8x7B is understood", async () => {
  const published = {
    hidden_size: 4096,
    intermediate_size: 14336,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    head_dim: undefined,
    num_local_experts: 8,
    vocab_size: 32000,
    max_position_embeddings: 32768,
    rope_theta: 1000000.0,
  };
  expect(await read(published)).toEqual({
    hiddenSize: 4096,
    intermediateSize: 14336,
    numLayers: 32,
    numAttentionHeads: 32,
    numKeyValueHeads: 8,
    headDim: 128,
    numExperts: 8,
    numExpertsPerToken: 2,
    vocabSize: 32000,
    maxPositions: 32768,
    ropeTheta: 1e6,
    rmsNormEps: 1e-5,
    slidingWindow: undefined,
    tieWordEmbeddings: false,
    bosTokenId: 1,
    eosTokenIds: [2],
  });
});

test("theta is read where transformers 5 keeps it", async () => {
  const rope_parameters = { rope_type: "default", rope_theta: 5000.0 };
  const model = await read({ rope_theta: undefined, rope_parameters });
  expect(model.ropeTheta).toBe(5000);
  await expectRefusal(read({ rope_parameters }), "bad-config", "10000", "5000");
});

test("fields left out take transformers' defaults, null ones mean none", async () => {
  const left = { rope_theta: undefined, tie_word_embeddings: undefined, bos_token_id: undefined };
  const model = await read({ ...left, eos_token_id: undefined, sliding_window: undefined });
  expect(model).toMatchObject({ ropeTheta: 1e6, tieWordEmbeddings: false, bosTokenId: 1 });
  expect(model).toMatchObject({ eosTokenIds: [2], slidingWindow: undefined });
  const none = await read({ bos_token_id: null, eos_token_id: null, head_dim: null });
  expect(none).toMatchObject({ bosTokenId: undefined, eosTokenIds: [], headDim: 16 });
});

test("sliding window, tied embeddings and several ends of sequence are carried over", async () => {
  const model = await read({ sliding_window: 4, tie_word_embeddings: true, eos_token_id: [2, 7] });
  expect(model).toMatchObject({ slidingWindow: 4, tieWordEmbeddings: true, eosTokenIds: [2, 7] });
});

test("generation_config.json decides the ends of sequence if it names any", async () => {
  expect((await read({}, { eos_token_id: [7, 9] })).eosTokenIds).toEqual([7, 9]);
  expect((await read({}, { eos_token_id: 7 })).eosTokenIds).toEqual([7]);
  expect((await read({}, { eos_token_id: null })).eosTokenIds).toEqual([2]);
  expect((await read({}, { temperature: 1 })).eosTokenIds).toEqual([2]);
  await expectRefusal(read({}, { eos_token_id: "</s>" }), "bad-config", "generation_config.json");
});

test("another architecture is refused, whatever else its config lacks", async () => {
  const llama = { architectures: ["LlamaForCausalLM"], num_local_experts: "none" };
  await expectRefusal(read(llama), "unsupported-model", "MixtralForCausalLM", "LlamaForCausalLM");
  await expectRefusal(read({ architectures: undefined }), "unsupported-model", "found nothing");
});

test("features that would change the numbers are refused", async () => {
  const refused = (changes: Record<string, unknown>, ...parts: string[]) =>
    expectRefusal(read(changes), "unsupported-model", "config.json", ...parts);
  await refused({ hidden_act: "gelu" }, 'hidden_act: expected "silu", found "gelu"');
  await refused({ rope_scaling: { type: "linear", factor: 2 } }, "rope_scaling", "linear");
  await refused({ rope_parameters: { rope_type: "yarn" } }, "rope_parameters", "yarn");
  await refused({ rope_parameters: { partial_rotary_factor: 0.5 } }, "expected 1, found 0.5");
  await refused({ quantization_config: { quant_method: "awq" } }, "awq");
});

test("a number out of range is refused with the range and the number", async () => {
  const refused = (changes: Record<string, unknown>, ...parts: string[]) =>
    expectRefusal(read(changes), "bad-config", "config.json", ...parts);
  await refused({ num_local_experts: 65 }, "1 to 64, found 65", "num_local_experts");
  await refused({ num_local_experts: 0 }, "1 to 64, found 0");
  await refused({ num_local_experts: 16, num_experts_per_tok: 9 }, "1 to 8, found 9");
  await refused({ num_experts_per_tok: 4 }, "at most num_local_experts (3), found 4");
  await refused({ num_experts_per_tok: 0 }, "1 to 8, found 0");
  await refused({ hidden_size: undefined }, "hidden_size", "found nothing");
  await refused({ hidden_size: "64" }, 'found "64"');
  await refused({ num_hidden_layers: 513 }, "1 to 512, found 513");
  await refused({ sliding_window: 0 }, "sliding_window", "found 0");
  await refused({ rope_theta: -1 }, "positive number, found -1");
  await refused({ head_dim: 15 }, "even number, found 15");
  await refused({ head_dim: undefined, hidden_size: 66 }, "multiple of", "(4)", "found 66");
  await refused({ num_key_value_heads: 3 }, "divisor of num_attention_heads (4), found 3");
  await refused({ eos_token_id: 50 }, "below vocab_size 50, found 50");
  await refused({ bos_token_id: 1.5 }, "found 1.5");
});

test("a directory without a readable config.json is refused", async () => {
  const dir = createTemporaryFolder();
  await expectRefusal(readModelConfig(dir), "missing-file", join(dir, "config.json"));
  writeFileSync(join(dir, "config.json"), '{"hidden_size": ');
  await expectRefusal(readModelConfig(dir), "bad-config", "expected JSON");
  writeFileSync(join(dir, "config.json"), "[]");
  await expectRefusal(readModelConfig(dir), "bad-config", "config.json");
});

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  fromBf16Bits,
  fromF16Bits,
  isQuantised,
  replyDtype,
  toBf16Bits,
  toF16Bits,
  type WeightDtype,
  weightDtypes,
} from "@octet/core";
import { expect, test } from "vitest";
import { openShard } from "./open-shard.ts";
import { shardCheckpoint } from "./shard-checkpoint.ts";
import { readShardSet } from "./shard-set.ts";
import { expectRefusal } from "./testing/expect-refusal.ts";
import { readStored, readTree, sourceValues } from "./testing/shard-contents.ts";
import {
  createSynthetic,
  type SyntheticCheckpoint,
  type SyntheticTensor,
  writeSynthetic,
} from "./testing/synthetic-checkpoint.ts";
import { createTemporaryFolder } from "./testing/temporary-folder.ts";

function writeSource(made: SyntheticCheckpoint, files = 1): { sourceDir: string; outDir: string } {
  const root = createTemporaryFolder();
  const sourceDir = writeSynthetic(join(root, "tiny-mixtral"), made, files);
  return { sourceDir, outDir: join(root, "out") };
}

/** Every tensor of every shard by its name, scales folded in, with the dtype it is stored in. */
async function readSet(outDir: string) {
  const { coordinator, experts } = await readShardSet(outDir);
  const tensors = new Map<string, { dtype: string; values: Float64Array }>();
  for (const { dir } of [coordinator, ...experts]) {
    const { weights } = await openShard(dir, { verify: true });
    for (const [name, { dtype }] of weights.tensors) {
      if (name.endsWith(".scales")) continue;
      expect(tensors.has(name)).toBe(false);
      tensors.set(name, { dtype, values: readStored(weights, name) });
    }
  }
  return tensors;
}

/** What a source value must become. */
function expectedValue(value: number, stored: string): number {
  if (stored === "f16") return fromF16Bits(toF16Bits(value));
  return stored === "bf16" ? fromBf16Bits(toBf16Bits(value)) : value;
}

for (const weightDtype of weightDtypes) {
  for (const dtype of ["F32", "F16", "BF16"] as const) {
    test(`every ${dtype} weight arrives once, in its place, in a ${weightDtype} set`, async () => {
      const made = createSynthetic({}, { dtype });
      const { sourceDir, outDir } = writeSource(made, 3);
      await shardCheckpoint({ sourceDir, outDir, weightDtype });
      const stored = await readSet(outDir);
      expect(new Set(stored.keys())).toEqual(new Set(made.tensors.keys()));
      for (const [name, tensor] of made.tensors) {
        expectStored(name, tensor, stored.get(name)!, weightDtype);
      }
    });
  }
}

function expectStored(
  name: string,
  tensor: SyntheticTensor,
  stored: { dtype: string; values: Float64Array },
  weightDtype: WeightDtype,
): void {
  const alwaysF32 = name.includes("norm") || name.endsWith("gate.weight");
  const matrixDtype = isQuantised(weightDtype) ? "u8" : weightDtype;
  const other = name === "model.embed_tokens.weight" ? replyDtype(weightDtype) : matrixDtype;
  expect([name, stored.dtype]).toEqual([name, alwaysF32 ? "f32" : other]);
  const values = sourceValues(tensor);
  if (stored.dtype !== "u8") {
    expect(stored.values).toEqual(values.map((value) => expectedValue(value, stored.dtype)));
    return;
  }
  // Weights are below 0.5, so a q8 scale is at most the bf16 above 0.5 / 127, and half of that is
  // lost; a q4 scale is at most 0.5 / 7, all of which is lost of a weight that wants quant 8.
  const worst = Math.max(...values.map((value, i) => Math.abs(value - stored.values[i]!)));
  expect(worst).toBeLessThanOrEqual(weightDtype === "q8" ? 0.001984 : 0.0715);
  expect(stored.values.length - values.length).toBe((-tensor.shape[0]! & 15) * tensor.shape[1]!);
  expect(stored.values.subarray(values.length).every((value) => value === 0)).toBe(true);
}

test("the fused layout gives the very shards the original one gives", async () => {
  const original = createSynthetic({}, { dtype: "F32" });
  const fused = createSynthetic({}, { dtype: "F32", fused: true });
  for (const [name, tensor] of fused.tensors) {
    fused.tensors.set(name, fuse(name, tensor, original));
  }
  const a = writeSource(original);
  const b = writeSource(fused, 2);
  const reportA = await shardCheckpoint({ ...a, weightDtype: "q8" });
  const reportB = await shardCheckpoint({ ...b, weightDtype: "q8" });
  expect(reportB.modelDigest).toBe(reportA.modelDigest);
  const weights = (dir: string) => [...readTree(dir)].filter(([name]) => /safetensors$/.test(name));
  expect(weights(b.outDir)).toEqual(weights(a.outDir));
});

/** The fused tensor `name`, put together from the original ones. */
function fuse(name: string, tensor: SyntheticTensor, original: SyntheticCheckpoint) {
  const [, layer, stack] = /^(.*)\.mlp\.(.*)$/.exec(name) ?? [];
  if (layer === undefined) return original.tensors.get(name)!;
  const moe = `${layer}.block_sparse_moe`;
  if (stack === "gate.weight") return original.tensors.get(`${moe}.gate.weight`)!;
  const parts = stack === "experts.down_proj" ? ["w2"] : ["w1", "w3"];
  const data = Array.from({ length: tensor.shape[0]! }, (_, e) =>
    parts.map((part) => original.tensors.get(`${moe}.experts.${e}.${part}.weight`)!.data),
  ).flat();
  return { ...tensor, data: new Uint8Array(Buffer.concat(data)) };
}

test("with tied embeddings the LM head is made from the embedding", async () => {
  const made = createSynthetic({ tie_word_embeddings: true });
  const { sourceDir, outDir } = writeSource(made);
  await shardCheckpoint({ sourceDir, outDir, weightDtype: "bf16" });
  const stored = await readSet(outDir);
  expect(stored.get("lm_head.weight")).toEqual(stored.get("model.embed_tokens.weight"));
});

test("the index and the manifests tell one story", async () => {
  const { sourceDir, outDir } = writeSource(createSynthetic());
  const report = await shardCheckpoint({ sourceDir, outDir, weightDtype: "q8" });
  const set = await readShardSet(outDir);
  expect(set).toMatchObject({ modelName: "tiny-mixtral", weightDtype: "q8" });
  expect(set.experts.map(({ dir }) => dir)).toEqual(
    ["00", "01", "02"].map((id) => join(outDir, `expert-${id}`)),
  );
  for (const [i, { dir, sha256 }] of [set.coordinator, ...set.experts].entries()) {
    const { manifest } = await openShard(dir, { verify: true });
    expect(manifest.modelDigest).toBe(report.modelDigest);
    expect([set.modelDigest, sha256]).toEqual([report.modelDigest, manifest.weights.sha256]);
    expect(manifest).toMatchObject({ model: set.model, modelName: "tiny-mixtral" });
    expect(manifest.expertId).toBe(i === 0 ? undefined : i - 1);
    expect(manifest.tokenizerFiles?.map(({ name }) => name)).toEqual(
      i === 0 ? ["tokenizer.json"] : undefined,
    );
  }
});

test("the digest changes with one weight, with the dtype and with the config", async () => {
  const digestOf = async (made: SyntheticCheckpoint, weightDtype: WeightDtype = "bf16") =>
    (await shardCheckpoint({ ...writeSource(made), weightDtype })).modelDigest;
  const touched = createSynthetic();
  touched.tensors.get("model.norm.weight")!.data[0]! ^= 1;
  const digests = [
    await digestOf(createSynthetic()),
    await digestOf(touched),
    await digestOf(createSynthetic(), "f32"),
    await digestOf(createSynthetic({ rope_theta: 20_000 })),
  ];
  expect(new Set(digests).size).toBe(4);
  expect(await digestOf(createSynthetic())).toBe(digests[0]);
});

test("progress is in source bytes and ends at the total", async () => {
  const made = createSynthetic();
  const seen: { doneBytes: number; totalBytes: number; shard: string; shardIndex: number }[] = [];
  const onProgress = (progress: (typeof seen)[number]) => seen.push(progress);
  await shardCheckpoint({ ...writeSource(made), weightDtype: "q8", onProgress });
  const total = [...made.tensors.values()].reduce((sum, { data }) => sum + data.length, 0);
  expect(seen.at(-1)).toMatchObject({ doneBytes: total, totalBytes: total, shard: "expert-02" });
  const done = seen.map(({ doneBytes }) => doneBytes);
  expect(done).toEqual(done.toSorted((a, b) => a - b));
  expect(seen[0]).toMatchObject({ shard: "coordinator", shardIndex: 0, numShards: 4 });
});

test("a value that is not finite is refused by tensor and element", async () => {
  const name = "model.layers.1.block_sparse_moe.experts.2.w2.weight";
  for (const [bits, text] of [
    [0x7fc0, "NaN"],
    [0xff80, "-Infinity"],
  ] as const) {
    const made = createSynthetic();
    new DataView(made.tensors.get(name)!.data.buffer).setUint16(2 * 1234, bits, true);
    const { sourceDir, outDir } = writeSource(made);
    const action = shardCheckpoint({ sourceDir, outDir, weightDtype: "q8" });
    await expectRefusal(action, "non-finite", `tensor ${name}`, `found ${text} at element 1234`);
    await expectRefusal(readShardSet(outDir), "incomplete");
  }
});

test("in a fused tensor the element counts from the tensor's own start", async () => {
  const made = createSynthetic({}, { fused: true });
  const name = "model.layers.0.mlp.experts.gate_up_proj";
  const element = (2 * 2 + 1) * 96 * 64 + 7; // w3 of expert 2
  new DataView(made.tensors.get(name)!.data.buffer).setUint16(2 * element, 0x7f80, true);
  const action = shardCheckpoint({ ...writeSource(made), weightDtype: "bf16" });
  await expectRefusal(action, "non-finite", `tensor ${name}`, `at element ${element}`);
});

test("an f32 weight too large for bf16 is refused rather than made infinite", async () => {
  const made = createSynthetic({}, { dtype: "F32" });
  new DataView(made.tensors.get("lm_head.weight")!.data.buffer).setFloat32(40, 3.4e38, true);
  const source = writeSource(made);
  const action = shardCheckpoint({ ...source, weightDtype: "bf16" });
  await expectRefusal(action, "non-finite", "tensor lm_head.weight", "fit bf16", "element 10");
  await shardCheckpoint({ ...source, outDir: `${source.outDir}-f32`, weightDtype: "f32" });
});

test("quantising is refused for widths that its blocks do not divide", async () => {
  const refused = async (overrides: object, ...parts: string[]) => {
    const source = writeSource(createSynthetic(overrides));
    for (const weightDtype of ["q8", "q4"] as const) {
      const action = shardCheckpoint({ ...source, weightDtype });
      const expected = [`${weightDtype}: expected`, "divisible by 32", ...parts];
      await expectRefusal(action, "unsupported-dtype", ...expected);
    }
  };
  await refused({ hidden_size: 48 }, "hidden_size", "found 48");
  await refused({ intermediate_size: 80 }, "intermediate_size", "found 80");
  await refused({ head_dim: 12 }, "num_attention_heads × head_dim", "found 48");
  const source = writeSource(createSynthetic({ hidden_size: 48, intermediate_size: 80 }));
  await shardCheckpoint({ ...source, weightDtype: "bf16" });
});

test("a memory limit too small for the buffers is refused", async () => {
  const source = writeSource(createSynthetic());
  const action = shardCheckpoint({ ...source, weightDtype: "q8", memoryBytesMax: 1e8 });
  await expectRefusal(action, "too-large", "found 100000000");
});

test("an output folder that holds something else is refused and left alone", async () => {
  const { sourceDir, outDir } = writeSource(createSynthetic());
  mkdirSync(outDir);
  writeFileSync(join(outDir, "thesis.tex"), "");
  const action = shardCheckpoint({ sourceDir, outDir, weightDtype: "q8" });
  await expectRefusal(action, "output-differs", "expected an empty folder", "thesis.tex");
  expect([...readTree(outDir).keys()]).toEqual(["thesis.tex"]);
});

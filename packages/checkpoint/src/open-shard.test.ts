import {
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openShard } from "./open-shard.ts";
import { shardCheckpoint } from "./shard-checkpoint.ts";
import { readShardSet } from "./shard-set.ts";
import { expectRefusal } from "./testing/expect-refusal.ts";
import { createSynthetic, writeSynthetic } from "./testing/synthetic-checkpoint.ts";
import { createTemporaryFolder } from "./testing/temporary-folder.ts";

async function writeSet(overrides = {}) {
  const root = createTemporaryFolder();
  const sourceDir = writeSynthetic(join(root, "src"), createSynthetic(overrides));
  const outDir = join(root, "out");
  await shardCheckpoint({ sourceDir, outDir, weightDtype: "q8" });
  const dir = join(outDir, "expert-01");
  const weights = join(dir, "weights.safetensors");
  const manifest = join(dir, "manifest.json");
  /** Changes the manifest's text. */
  const edit = (change: (text: string) => string) =>
    writeFileSync(manifest, change(readFileSync(manifest, "utf8")));
  return { outDir, dir, weights, manifest, edit, coordinator: join(outDir, "coordinator") };
}

const openQuickly = (dir: string) => openShard(dir, { verify: false });
const openVerified = (dir: string) => openShard(dir, { verify: true });

test("every tensor of an opened shard lies inside the file, on a multiple of 64 bytes", async () => {
  // Three panels of three blocks: k_proj's scales are half a multiple of 64 bytes.
  const { dir, coordinator } = await writeSet({ hidden_size: 96 });
  const gaps: number[] = [];
  for (const folder of [dir, coordinator]) {
    const { weights } = await openVerified(folder);
    let end = Math.min(...[...weights.tensors.values()].map(({ offsetBytes }) => offsetBytes));
    for (const [name, { offsetBytes, lengthBytes }] of weights.tensors) {
      expect([name, offsetBytes % 64]).toEqual([name, 0]);
      gaps.push(offsetBytes - end);
      end = offsetBytes + lengthBytes;
    }
    expect(end).toBe(weights.sizeBytes);
  }
  expect(new Set(gaps)).toEqual(new Set([0, 32]));
});

test("a tensor that is not on a multiple of 64 bytes is refused", async () => {
  const { dir, weights, manifest, edit } = await writeSet();
  // Another tool may write the same tensors after a header of its own length.
  const whole = readFileSync(weights);
  const headerEnd = 8 + Number(whole.readBigUInt64LE());
  const longer = Buffer.concat([
    whole.subarray(0, headerEnd),
    Buffer.alloc(32, " "),
    whole.subarray(headerEnd),
  ]);
  longer.writeBigUInt64LE(BigInt(headerEnd + 32 - 8));
  writeFileSync(weights, longer);
  const { sizeBytes } = JSON.parse(readFileSync(manifest, "utf8")).weights;
  edit((text) => text.replace(`"sizeBytes": ${sizeBytes}`, `"sizeBytes": ${longer.length}`));
  await expectRefusal(openQuickly(dir), "bad-tensor", "a multiple of 64", "w1.weight");
});

test("verifying reports progress up to the size of the file", async () => {
  const { dir } = await writeSet();
  const seen: { doneBytes: number; totalBytes: number }[] = [];
  const { weights } = await openShard(dir, { verify: true, onProgress: (p) => seen.push(p) });
  expect(seen.at(-1)).toEqual({ doneBytes: weights.sizeBytes, totalBytes: weights.sizeBytes });
});

test("verifying stops on request", async () => {
  const { dir } = await writeSet();
  const action = openShard(dir, { verify: true, signal: AbortSignal.abort() });
  await expectRefusal(action, "aborted");
});

test("any changed byte of the weights is found on verifying", async () => {
  const { dir, weights } = await writeSet();
  const whole = readFileSync(weights);
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
      const spoilt = Buffer.from(whole);
      spoilt[at]! ^= by;
      writeFileSync(weights, spoilt);
      await expect(openVerified(dir)).rejects.toMatchObject({ name: "CheckpointError" });
    }),
    {
      numRuns: 40,
      examples: [
        [0, 1],
        [7, 1],
        [8, 1],
        [whole.length - 1, 1],
      ],
    },
  );
  const spoilt = Buffer.from(whole);
  spoilt[whole.length - 1]! ^= 1;
  writeFileSync(weights, spoilt);
  await expectRefusal(openVerified(dir), "checksum-mismatch", weights, "SHA-256");
  await openQuickly(dir);
});

test("a shard cut short at any length is refused without verifying", async () => {
  const { dir, weights } = await writeSet();
  const size = readFileSync(weights).length;
  for (const length of [size - 1, Math.floor(size / 2), 9, 0]) {
    truncateSync(weights, length);
    await expectRefusal(openQuickly(dir), "bad-file", `expected ${size} bytes`, `found ${length}`);
  }
});

test("a folder without a manifest is not a shard", async () => {
  const { dir, manifest } = await writeSet();
  rmSync(manifest);
  await expectRefusal(openQuickly(dir), "incomplete", "manifest.json", "folder without one");
  await expectRefusal(openQuickly(join(dir, "none")), "incomplete", "found no such folder");
});

test("a manifest without weights is refused", async () => {
  const { dir, weights } = await writeSet();
  rmSync(weights);
  await expectRefusal(openQuickly(dir), "missing-file", weights);
});

test("another format version is refused, whatever else such a manifest has", async () => {
  const { dir, outDir, edit } = await writeSet();
  edit((text) =>
    text.replace('"formatVersion": 2', '"formatVersion": 1').replaceAll('"u8"', '"i8"'),
  );
  const again = "shard the model again, with octet shard, into an empty folder";
  const parts = ["expected shards of format version 2, found 1", again];
  await expectRefusal(openQuickly(dir), "bad-config", "manifest.json", ...parts);
  const index = join(outDir, "octet.json");
  writeFileSync(
    index,
    readFileSync(index, "utf8").replace(/"formatVersion": 2/, '"formatVersion": 1'),
  );
  await expectRefusal(readShardSet(outDir), "bad-config", "octet.json", ...parts);
});

test("a manifest with a field missing, misspelt or out of range is refused", async () => {
  const changes: [string, string][] = [
    ['"kind": "expert"', '"kind": "gateway"'],
    ['"kind": "expert"', '"kind": "coordinator"'],
    ['"expertId": 1', '"expertId": 3'],
    ['"expertId": 1', '"expertID": 1'],
    ['"weightDtype": "q8"', '"weightDtype": "q3"'],
    ['"hiddenSize": 64', '"hiddenSize": 0'],
    ['"sha256": "', '"sha256": "x'],
    ['"weights.safetensors"', '"../expert-00/weights.safetensors"'],
  ];
  for (const [from, to] of changes) {
    const { dir, edit, manifest } = await writeSet();
    edit((text) => text.replace(from, to));
    expect(readFileSync(manifest, "utf8")).toContain(to);
    await expectRefusal(openQuickly(dir), "bad-config", "manifest.json");
  }
});

test("a manifest of another expert, dtype or model than its weights is refused", async () => {
  const cases: [string, string, ...string[]][] = [
    ['"expertId": 1', '"expertId": 0', "missing-tensor", "experts.0.w1.weight"],
    ['"weightDtype": "q8"', '"weightDtype": "f32"', "bad-tensor", "expected f32", "found u8"],
    ['"weightDtype": "q8"', '"weightDtype": "q4"', "bad-tensor", "[6, 8, 16, 4]", "[6, 16, 16, 4]"],
    ['"hiddenSize": 64', '"hiddenSize": 32', "bad-tensor", "[6, 8, 16, 4]", "[6, 16, 16, 4]"],
    ['"numLayers": 2', '"numLayers": 3', "missing-tensor", "model.layers.2"],
    ['"numLayers": 2', '"numLayers": 1', "foreign-tensor", "model.layers.1"],
  ];
  for (const [from, to, code, ...parts] of cases) {
    const { dir, edit } = await writeSet();
    edit((text) => text.replace(from, to));
    await expectRefusal(openQuickly(dir), code as "bad-tensor", "tensor ", ...parts);
  }
});

test("a manifest that lists other tensors than the file is refused", async () => {
  const { dir, edit } = await writeSet();
  edit((text) => text.replace("experts.1.w2.weight.scales", "experts.1.w2.weight.scale"));
  await expectRefusal(openQuickly(dir), "missing-tensor", "manifest.json", "w2.weight.scales");
});

test("weights exchanged between experts are refused without verifying", async () => {
  const { dir, outDir, weights } = await writeSet();
  copyFileSync(join(outDir, "expert-02", "weights.safetensors"), weights);
  await expectRefusal(openQuickly(dir), "missing-tensor", "experts.1.w1.weight", "found none");
});

test("a changed or lost tokenizer file is refused", async () => {
  const { coordinator } = await writeSet();
  const file = join(coordinator, "tokenizer.json");
  writeFileSync(file, '{"version":"1.1"}');
  await expectRefusal(openQuickly(coordinator), "checksum-mismatch", file);
  rmSync(file);
  await expectRefusal(openQuickly(coordinator), "missing-file", file);
});

test("a set with a shard missing or cut short is refused by name", async () => {
  const { outDir, dir, weights } = await writeSet();
  truncateSync(weights, 64);
  await expectRefusal(readShardSet(outDir), "incomplete", weights, "found 64 bytes");
  renameSync(dir, `${dir}-gone`);
  await expectRefusal(readShardSet(outDir), "incomplete", weights, "found no file");
  expect(readdirSync(outDir)).not.toContain("octet.lock");
});

import { execFile } from "node:child_process";
import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openShard } from "./open-shard.ts";
import { shardCheckpoint } from "./shard-checkpoint.ts";
import { readShardSet } from "./shard-set.ts";
import { expectRefusal } from "./testing/expect-refusal.ts";
import { readTree } from "./testing/shard-contents.ts";
import { createSynthetic, writeSynthetic } from "./testing/synthetic-checkpoint.ts";
import { createTemporaryFolder } from "./testing/temporary-folder.ts";

const folders = ["coordinator", "expert-00", "expert-01", "expert-02"];
const weightDtype = "q8";

function writeSource(seed = 1) {
  const root = createTemporaryFolder();
  const made = createSynthetic({}, { seed });
  return { sourceDir: writeSynthetic(join(root, "src"), made, 3), outDir: join(root, "out") };
}

/** Runs until `slices` progress reports have come, then asks to stop. */
async function runFor(slices: number, job: { sourceDir: string; outDir: string }): Promise<void> {
  const stop = new AbortController();
  let seen = 0;
  const onProgress = () => {
    seen += 1;
    if (seen === slices) stop.abort();
  };
  await shardCheckpoint({ ...job, weightDtype, onProgress, signal: stop.signal });
}

test("a run stopped anywhere, any number of times, ends with the same bytes", async () => {
  const { sourceDir, outDir } = writeSource();
  await shardCheckpoint({ sourceDir, outDir, weightDtype });
  const whole = readTree(outDir);
  // 17 tensors of the coordinator, then 6 of each expert; each is one slice.
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 34 }), { maxLength: 4 }), async (stops) => {
      const again = `${outDir}-again`;
      rmSync(again, { recursive: true, force: true });
      for (const slices of stops) {
        await runFor(slices, { sourceDir, outDir: again }).catch((error: unknown) => {
          expect(error).toMatchObject({ code: "aborted" });
        });
      }
      await shardCheckpoint({ sourceDir, outDir: again, weightDtype });
      expect(readTree(again)).toEqual(whole);
    }),
    { numRuns: 12, examples: [[[1]], [[18]], [[24, 1]], [[30, 2, 9]]] },
  );
});

test("no shard of a stopped run opens, nor does the set", async () => {
  for (const slices of [1, 5, 20, 34]) {
    const job = writeSource();
    await expectRefusal(runFor(slices, job), "aborted", job.outDir);
    expect([...readTree(job.outDir).keys()].filter((name) => name.includes("partial"))).toEqual([
      "octet.partial.json",
    ]);
    for (const folder of folders) {
      const action = openShard(join(job.outDir, folder), { verify: false });
      await expectRefusal(action, "incomplete", folder);
    }
    await expectRefusal(readShardSet(job.outDir), "incomplete", "octet.json");
  }
});

test("a finished shard is not written again", async () => {
  const job = writeSource();
  await expectRefusal(runFor(20, job), "aborted");
  const written = () => statSync(join(job.outDir, "coordinator", "weights.safetensors")).ino;
  const before = written();
  const seen = new Set<string>();
  const onProgress = ({ shard }: { shard: string }) => seen.add(shard);
  const report = await shardCheckpoint({ ...job, weightDtype, onProgress });
  expect(written()).toBe(before);
  expect(report.shards.map(({ reused }) => reused)).toEqual([true, false, false, false]);
  expect([...seen]).toEqual(["expert-00", "expert-01", "expert-02"]);
  const second = await shardCheckpoint({ ...job, weightDtype });
  expect(second.shards.every(({ reused }) => reused)).toBe(true);
});

test("what a crash leaves under a temporary name is overwritten", async () => {
  const job = writeSource();
  await expectRefusal(runFor(20, job), "aborted");
  writeFileSync(join(job.outDir, "expert-00", "weights.safetensors.partial"), "half a shard");
  await shardCheckpoint({ ...job, weightDtype });
  expect([...readTree(job.outDir).keys()].filter((name) => name.includes("partial"))).toEqual([]);
  await openShard(join(job.outDir, "expert-00"), { verify: true });
});

test("a run killed outright leaves no shard, and the next run takes over its lock", async () => {
  for (const slices of [3, 19, 35]) {
    const job = writeSource();
    await expect(runKilled(slices, job)).rejects.toMatchObject({ signal: "SIGKILL" });
    expect(readTree(job.outDir).has("octet.lock")).toBe(true);
    for (const folder of folders) {
      await expectRefusal(openShard(join(job.outDir, folder), { verify: false }), "incomplete");
    }
    const killed = await shardCheckpoint({ ...job, weightDtype });
    const whole = await shardCheckpoint({ ...job, outDir: `${job.outDir}-whole`, weightDtype });
    expect(killed.modelDigest).toBe(whole.modelDigest);
    expect(readTree(job.outDir)).toEqual(readTree(whole.outDir));
  }
});

/** Like {@link runFor}, in a process that kills itself. */
function runKilled(slices: number, job: { sourceDir: string; outDir: string }): Promise<unknown> {
  const program = `
    import { shardCheckpoint } from ${JSON.stringify(join(import.meta.dirname, "index.ts"))};
    let seen = 0;
    const onProgress = () => ++seen === ${slices} && process.kill(process.pid, "SIGKILL");
    await shardCheckpoint({ ...${JSON.stringify({ ...job, weightDtype })}, onProgress });
  `;
  const args = ["--input-type=module", "--eval", program];
  return promisify(execFile)(process.execPath, args, { timeout: 20_000 });
}

test("a damaged set is repaired, and only where it is damaged", async () => {
  const job = writeSource();
  await shardCheckpoint({ ...job, weightDtype, modelName: "ours" });
  const whole = readTree(job.outDir);
  truncateSync(join(job.outDir, "expert-01", "weights.safetensors"), 100);
  rmSync(join(job.outDir, "expert-02", "manifest.json"));
  const report = await shardCheckpoint({ ...job, weightDtype });
  expect(report.shards.map(({ reused }) => reused)).toEqual([true, true, false, false]);
  expect(readTree(job.outDir)).toEqual(whole);
});

test("while a set is being repaired, neither it nor the shard under repair opens", async () => {
  const job = writeSource();
  await shardCheckpoint({ ...job, weightDtype });
  truncateSync(join(job.outDir, "coordinator", "weights.safetensors"), 100);
  truncateSync(join(job.outDir, "expert-01", "weights.safetensors"), 100);
  await expectRefusal(runFor(18, job), "aborted"); // the coordinator is whole, expert 1 is not
  await expectRefusal(readShardSet(job.outDir), "incomplete", "octet.json");
  const damaged = openShard(join(job.outDir, "expert-01"), { verify: false });
  await expectRefusal(damaged, "incomplete", "manifest.json");
  await openShard(join(job.outDir, "expert-00"), { verify: true });
});

test("another dtype, source or config for a folder is refused, finished or not", async () => {
  for (const slices of [24, 1000]) {
    const job = writeSource();
    await runFor(slices, job).catch(() => undefined);
    const before = readTree(job.outDir);
    const otherDtype = shardCheckpoint({ ...job, weightDtype: "bf16" });
    await expectRefusal(otherDtype, "output-differs", "expected bf16, found q8");
    const other = { ...job, sourceDir: writeSource(2).sourceDir };
    const otherSource = shardCheckpoint({ ...other, weightDtype });
    await expectRefusal(otherSource, "output-differs", "model-00001-of-00003.safetensors");
    const renamed = JSON.parse(readFileSync(join(job.sourceDir, "config.json"), "utf8"));
    writeFileSync(
      join(job.sourceDir, "config.json"),
      JSON.stringify({ ...renamed, rope_theta: 7 }),
    );
    const otherConfig = shardCheckpoint({ ...job, weightDtype });
    await expectRefusal(otherConfig, "output-differs", "another model");
    expect(readTree(job.outDir)).toEqual(before);
  }
});

test("a copy of the source is the same source", async () => {
  const job = writeSource();
  await shardCheckpoint({ ...job, weightDtype, modelName: "a" });
  const copy = writeSource();
  const report = await shardCheckpoint({ ...copy, outDir: job.outDir, weightDtype });
  expect(report.shards.every(({ reused }) => reused)).toBe(true);
  expect(report.modelName).toBe("a");
});

test("a new name is taken over without writing weights again", async () => {
  const job = writeSource();
  const first = await shardCheckpoint({ ...job, weightDtype, modelName: "a" });
  const second = await shardCheckpoint({ ...job, weightDtype, modelName: "b" });
  expect(second.modelDigest).toBe(first.modelDigest);
  const { manifest } = await openShard(join(job.outDir, "expert-02"), { verify: true });
  expect(manifest.modelName).toBe("b");
});

test("an abort before the start writes nothing", async () => {
  const job = writeSource();
  const signal = AbortSignal.abort();
  await expectRefusal(shardCheckpoint({ ...job, weightDtype, signal }), "aborted");
  expect(() => statSync(job.outDir)).toThrow("ENOENT");
});

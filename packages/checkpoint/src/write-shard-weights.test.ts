import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isQuantised, toExpertId, type WeightDtype, weightDtypes } from "@octet/core";
import { expect, test } from "vitest";
import { createConversionBuffers } from "./conversion-buffers.ts";
import { readModelConfig } from "./hugging-face-config.ts";
import { plannedTensors, type ShardKey } from "./shard-plan.ts";
import { openSourceCheckpoint } from "./source-checkpoint.ts";
import { expectRefusal } from "./testing/expect-refusal.ts";
import {
  createSynthetic,
  type SyntheticCheckpoint,
  writeSynthetic,
} from "./testing/synthetic-checkpoint.ts";
import { createTemporaryFolder } from "./testing/temporary-folder.ts";
import { writeShardWeights } from "./write-shard-weights.ts";

async function writeSliced(
  made: SyntheticCheckpoint,
  job: { shard: ShardKey; weightDtype: WeightDtype; sliceElements: number },
) {
  const root = createTemporaryFolder();
  const sourceDir = writeSynthetic(join(root, "src"), made);
  const model = await readModelConfig(sourceDir);
  await using source = await openSourceCheckpoint(sourceDir, model);
  const dir = join(root, "shard");
  mkdirSync(dir);
  const planned = plannedTensors(model, job.shard);
  const buffers = createConversionBuffers(planned, {
    ...job,
    memoryBytesMax: 1e9,
    file: sourceDir,
  });
  const seen: number[] = [];
  const onBytes = (bytes: number) => seen.push(bytes);
  const record = await writeShardWeights({
    ...{ source, model, dir, buffers, onBytes, ...job },
    signal: undefined,
  });
  return { record, seen, bytes: readFileSync(join(dir, record.file)) };
}

const coordinator: ShardKey = { kind: "coordinator" };
const expert: ShardKey = { kind: "expert", expertId: toExpertId(1, 3) };

test("a shard's bytes do not depend on the size of the slices it was converted in", async () => {
  for (const weightDtype of weightDtypes) {
    for (const shard of [coordinator, expert]) {
      const made = createSynthetic({}, { dtype: "F32", fused: shard === expert });
      const job = { shard, weightDtype };
      const whole = await writeSliced(made, { ...job, sliceElements: 1 << 20 });
      for (const sliceElements of [32, 160, 6144, 6176]) {
        const sliced = await writeSliced(made, { ...job, sliceElements });
        expect(sliced.bytes.equals(whole.bytes)).toBe(true);
        expect(sliced.record).toEqual(whole.record);
        const leastElements = isQuantised(weightDtype) ? 16 * 96 : 0; // a panel of the widest
        const elementsMax = Math.max(sliceElements, leastElements);
        expect(Math.max(...sliced.seen)).toBeLessThanOrEqual(4 * elementsMax);
      }
    }
  }
});

test("an element that is not finite is counted across slices", async () => {
  const made = createSynthetic();
  const tensor = "model.layers.0.block_sparse_moe.experts.1.w3.weight";
  new DataView(made.tensors.get(tensor)!.data.buffer).setUint16(2 * 4321, 0x7f80, true);
  const job = { shard: expert, weightDtype: "q8", sliceElements: 320 } as const;
  await expectRefusal(writeSliced(made, job), "non-finite", `tensor ${tensor}`, "element 4321");
});

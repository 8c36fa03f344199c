// A worker's control thread stays free while its GPU thread computes, and Dawn polls.
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readShardSet, shardCheckpoint } from "@octet/checkpoint";
import { createGrpcExpertClient } from "@octet/cluster";
import { activationRowBytes, toExpertId } from "@octet/core";
import { silentLogger } from "@octet/telemetry";
import { expect, test } from "vitest";
import { EventLoopWatch } from "../bench/octet/event-loop-watch.ts";
import { TestedWorkers } from "../cluster/service-cluster.ts";
import { gpuSettings } from "./gpu-settings.ts";

const randomCheckpoint = fileURLToPath(
  new URL("../../tools/random-checkpoint.ts", import.meta.url),
);
const shape = "--layers 1 --hidden 512 --intermediate 1024 --experts 2 --heads 8 --vocab 320";
const rows = 64;
const numCalls = 6;
/** Other tests use the same cores: the quietest of several looks counts. */
const numLooks = 3;
/** Measured: 2.3 to 2.5 ms, with SwiftShader's threads on both of two cores. */
const delayMsMax = 10;

test("the event loop's delay stays under 10 ms while calls are computed one after another", async () => {
  const folder = await mkdtemp(join(tmpdir(), "octet-event-loop-"));
  try {
    const [sourceDir, outDir] = [join(folder, "source"), join(folder, "shards")];
    execFileSync(process.execPath, [randomCheckpoint, sourceDir, ...shape.split(" ")]);
    await shardCheckpoint({ sourceDir, outDir, weightDtype: "q8" });
    const index = await readShardSet(outDir);
    await using watch = await EventLoopWatch.create();
    const settings = { ...gpuSettings(), ...watch.environment };
    await using workers = await TestedWorkers.start(index, (id) => (id === 0 ? settings : {}));
    const [worker] = workers.workers;
    const expertId = toExpertId(0, 2);
    const client = createGrpcExpertClient({
      placement: workers.workers.map(({ address }, id) => {
        return { address, expertIds: [toExpertId(id, 2)] };
      }),
      expected: { ...index.model, weightDtype: "q8", modelDigest: index.modelDigest },
      log: silentLogger,
    });
    try {
      const { hiddenSize: width } = index.model;
      const data = new Uint8Array(rows * activationRowBytes("q8", width));
      const input = { dtype: "q8", rows, width, data } as const;
      let computedMs = 0;
      const compute = async (calls: number) => {
        computedMs = 0;
        for (let i = 0; i < calls; i++) {
          const reply = await client.forward({ layer: 0, expertId, input }, { deadlineMs: 60_000 });
          computedMs += reply.computedUs / 1000;
        }
      };
      await compute(1); // and compiles
      const seen: number[] = [];
      for (let i = 0; i < numLooks; i++) {
        const delays = await watch.watch(worker!.process.pid!, () => compute(numCalls));
        // Long enough for a hundred looks of a millisecond.
        expect(computedMs).toBeGreaterThan(200);
        seen.push(delays.p99Ms);
      }
      const said = seen.map((p99Ms) => p99Ms.toFixed(1)).join(", ");
      process.stderr.write(`event-loop delay of a GPU worker, p99: ${said} ms\n`);
      expect(Math.min(...seen)).toBeLessThan(delayMsMax);
    } finally {
      await client.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 180_000);

// One expert-worker with a shard of about 1 GB: its memory, and the seconds until it serves.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openShard, type ShardManifest } from "@octet/checkpoint";
import { findFreePorts } from "@octet/cli/free-ports";
import { ServiceProcess } from "@octet/cli/service-process";
import { createGrpcExpertClient } from "@octet/cluster";
import { activationRowBytes, dispatchDtype, toExpertId } from "@octet/core";
import { checkHealth, readinessName } from "@octet/protocol";
import { silentLogger } from "@octet/telemetry";
import type { Bar } from "../harness/bar.ts";
import type { BenchSetting } from "../harness/bench-setting.ts";
import type { Benchmark } from "../harness/benchmark.ts";
import { memoryOf } from "../octet/process-memory.ts";

const askAgainMs = 5;
const startMsMax = 60_000;
const callDeadlineMs = 60_000;

/** Resident memory once every weight has been used, beside the bytes of the shard. */
export function workerMemory(name: string, bars: readonly Bar[]): Benchmark {
  return {
    name,
    about: "resident memory of a worker that has used all of its weights; peer: its shard",
    unit: "MB",
    bars,
    measure: async (setting) => {
      const shard = await openWorkerShard(setting);
      await using worker = await startWorker(shard, setting.threads);
      await useEveryLayer(worker.address, shard.manifest);
      const { residentBytes, anonymousBytes, fileBytes } = memoryOf(worker.pid);
      return {
        samples: [residentBytes / 1e6],
        peer: { name: "its shard", samples: [shard.bytes / 1e6] },
        ...about(shard.manifest, setting.threads),
        facts: { anonymousMb: anonymousBytes / 1e6, mappedMb: fileBytes / 1e6 },
      };
    },
  };
}

/** From the start of the process to a health check that says it serves, SHA-256 and all. */
export function workerReady(name: string, bars: readonly Bar[]): Benchmark {
  return {
    name,
    about: "seconds from starting a worker to its health check, with its shard in the file cache",
    unit: "s",
    bars,
    measure: async (setting) => {
      const shard = await openWorkerShard(setting);
      const seconds: number[] = [];
      // The first start brings the shard into the cache and does not count.
      for (let i = 0; i <= setting.pairs; i++) {
        await using worker = await startWorker(shard, setting.threads);
        if (i > 0) seconds.push(worker.readySeconds);
      }
      return {
        samples: seconds,
        ratios: seconds,
        ...about(shard.manifest, setting.threads),
        facts: { shardMb: shard.bytes / 1e6 },
      };
    },
  };
}

interface WorkerShard {
  readonly dir: string;
  readonly manifest: ShardManifest;
  readonly bytes: number;
}

async function openWorkerShard(setting: BenchSetting): Promise<WorkerShard> {
  const dir = await setting.models.workerShard();
  const { manifest } = await openShard(dir, { verify: false });
  const { size: bytes } = await stat(join(dir, manifest.weights.file));
  return { dir, manifest, bytes };
}

function about({ model, weightDtype }: ShardManifest, threads: number) {
  const shapes = `one expert of Mixtral 8x7B's width, ${model.numLayers} layers`;
  return { shapes, dtype: weightDtype, threads };
}

interface StartedWorker extends AsyncDisposable {
  readonly address: string;
  readonly pid: number;
  readonly readySeconds: number;
}

async function startWorker({ dir }: WorkerShard, threads: number): Promise<StartedWorker> {
  const [port] = await findFreePorts(1);
  const address = `127.0.0.1:${port}`;
  const start = performance.now();
  const service = new ServiceProcess({
    name: "worker",
    service: "expert-worker",
    settings: {
      OCTET_SHARD_DIR: dir,
      OCTET_LISTEN: address,
      OCTET_THREADS: String(threads),
    },
    onLog: () => {},
  });
  const ended = service.exited.then(() => {
    throw new Error(`the worker ended: ${service.lastWords}`);
  });
  ended.catch(() => {});
  try {
    while (!(await isServing(address))) {
      if (performance.now() - start > startMsMax) throw new Error("the worker did not get ready");
      await Promise.race([delay(askAgainMs), ended]);
    }
  } catch (error) {
    await service.stop();
    throw error;
  }
  const readySeconds = (performance.now() - start) / 1000;
  const stop = () => service.stop();
  return { address, pid: service.pid!, readySeconds, [Symbol.asyncDispose]: stop };
}

/** False while it does not listen yet, too. */
function isServing(address: string): Promise<boolean> {
  return checkHealth(address, readinessName, { deadlineMs: callDeadlineMs }).catch(() => false);
}

/** One row through the expert's matrices of each layer. */
async function useEveryLayer(address: string, manifest: ShardManifest): Promise<void> {
  const { model, weightDtype, modelDigest } = manifest;
  const expertId = toExpertId(manifest.expertId!, model.numExperts);
  const client = createGrpcExpertClient({
    placement: [{ expertIds: [expertId], address }],
    expected: { ...model, weightDtype, modelDigest },
    log: silentLogger,
  });
  const dtype = dispatchDtype(weightDtype);
  const width = model.hiddenSize;
  const data = new Uint8Array(activationRowBytes(dtype, width));
  try {
    for (let layer = 0; layer < model.numLayers; layer++) {
      const input = { dtype, rows: 1, width, data };
      await client.forward({ layer, expertId, input }, { deadlineMs: callDeadlineMs });
    }
  } finally {
    await client.close();
  }
}

// Run as a process of its own: opens an engine, leaves it open, and ends as told.
//
//   node abandon-engine.ts WEIGHTS-JSON idle | exit-while-computing | terminate-worker | collect
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import type { ExpertCall } from "../../expert-engine.ts";
import { openCpuExpertEngine } from "../cpu-expert-engine.ts";
import { parseExperts } from "./experts-json.ts";

const [json, how] = process.argv.slice(2);
assert(json !== undefined && how !== undefined, "usage: abandon-engine.ts WEIGHTS-JSON HOW");
const { options, call } = parseExperts(json);

async function computeOnce(): Promise<void> {
  const engine = await openCpuExpertEngine(options);
  await engine.forward(call);
}

/** Resolves while the first of many calls is answered and the next is being computed. */
async function startComputing(): Promise<void> {
  const { input } = call;
  const repeats = 20;
  const many: ExpertCall["input"] = {
    ...input,
    rows: input.rows * repeats,
    data: Buffer.concat(Array.from({ length: repeats }, () => input.data)),
  };
  const engine = await openCpuExpertEngine({ ...options, isa: "portable" });
  const first = engine.forward({ ...call, input: many });
  for (let i = 0; i < 500; i++) {
    engine.forward({ ...call, input: many }).catch(() => {}); // it never gets to answer
  }
  await first;
}

/** Only Linux tells. */
function numThreads(): number {
  return process.platform === "linux" ? readdirSync("/proc/self/task").length : 0;
}

async function collect(): Promise<void> {
  const before = numThreads();
  for (let i = 0; i < 20; i++) await computeOnce();
  assert(global.gc !== undefined, "needs --expose-gc");
  for (let i = 0; i < 50 && numThreads() > before; i++) {
    global.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert(numThreads() <= before, `${numThreads()} threads after collection, ${before} before`);
}

if (!isMainThread) {
  await startComputing();
  parentPort!.postMessage("computing");
} else if (how === "idle") {
  await computeOnce();
} else if (how === "exit-while-computing") {
  await startComputing();
  process.exit(0);
} else if (how === "terminate-worker") {
  const worker = new Worker(new URL(import.meta.url), { argv: [json, how] });
  await new Promise((resolve) => worker.once("message", resolve));
  await worker.terminate();
} else {
  await collect();
}
console.log(`${how}: done`);

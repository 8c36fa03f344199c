// npm run bench -- --engine webgpu --counts: what the GPU engines ask of a device, counted.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { useSwiftShader } from "@octet/kernels";
import { installSwiftShader } from "../../../tools/install-swiftshader.ts";
import { countDecode, countedModel } from "./count-decode.ts";
import { type CountsLine, judgeCounts } from "./judge-counts.ts";
import { type LoopDelayLine, measureLoopDelay } from "./loop-delay.ts";
import { countPrefillAttention, type PrefillAttentionLine } from "./prefill-attention.ts";

const dtypes = ["q4", "q8", "bf16"] as const;

/** Of prompts whose attention is counted. */
const promptTokens = [512, 4096];

type Line = CountsLine | PrefillAttentionLine | LoopDelayLine;

/**
 * Counts on SwiftShader, as counts are the same on every device.
 *
 * @param print called with each line, as JSON or for people
 * @returns whether every limit is kept
 */
export async function runGpuCounts(json: boolean, print: (line: string) => void): Promise<boolean> {
  installSwiftShader();
  useSwiftShader(process.env);
  const folder = await mkdtemp(join(tmpdir(), "octet-gpu-counts-"));
  let met = true;
  const report = (line: Line) => {
    met &&= line.met;
    print(json ? JSON.stringify(line) : describe(line));
  };
  try {
    for (const dtype of dtypes) {
      report(judgeCounts(countedModel, dtype, await countDecode(folder, dtype)));
    }
    for (const tokens of promptTokens) report(await countPrefillAttention(folder, tokens));
    report(await measureLoopDelay(folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return met;
}

function describe(line: Line): string {
  if ("tokensAtOnce" in line) {
    const { name, cacheBytesRead, tokensAtOnce, mixtralBytesRead, limit, met } = line;
    return [
      `${name}: ${cacheBytesRead} bytes of keys and values a layer,`,
      `of Mixtral's ${(mixtralBytesRead / 1e9).toPrecision(3)} GB:`,
      `${tokensAtOnce.toFixed(2)} tokens share them, at least ${limit}${met ? "" : ": EXCEEDED"}`,
    ].join(" ");
  }
  if (line.name === "gpu-event-loop-delay") {
    const { p99, limit, met } = line as LoopDelayLine;
    return `${line.name}: p99 ${p99.toFixed(1)} ms, limit ${limit}${met ? "" : ": EXCEEDED"}`;
  }
  const { name, coordinator, worker, dispatchesPerLayer, ...counts } = line as CountsLine;
  const { weightBytesPerToken, weightBytesRatio, objectsCreated, kernelsCompiled } = counts;
  return [
    `${name}: a token and layer: ${dispatchesPerLayer} dispatches`,
    `(${coordinator.dispatches} coordinator, ${worker.dispatches} worker),`,
    `${coordinator.submits} submit and ${coordinator.readBacks} read-back each;`,
    `${weightBytesPerToken} weight bytes a token, ${weightBytesRatio.toFixed(4)} of the format's;`,
    `${objectsCreated} objects created, ${kernelsCompiled} kernels compiled by calls`,
    ...counts.exceeded.map((what) => `\n  EXCEEDED ${what}`),
  ].join(" ");
}

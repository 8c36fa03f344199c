// Every benchmark, in the order they run: those that share a model are neighbours.
import type { Bar } from "../harness/bar.ts";
import type { Benchmark } from "../harness/benchmark.ts";
import { callBenchmark } from "./calls.ts";
import { chunkedPrefill } from "./chunked-prefill.ts";
import { clusterWorkerMemory, coordinatorMemory } from "./cluster-memory.ts";
import { decodeBenchmark } from "./decode.ts";
import { fastPath } from "./fast-path.ts";
import { limitBenchmark } from "./limits.ts";
import { longContextDecode } from "./long-context.ts";
import { microBatches } from "./micro-batches.ts";
import { clusterDecode, clusterPrefill, eventLoopDelay } from "./nine-processes.ts";
import { prefillBenchmark } from "./prefill.ts";
import { prefixCache } from "./prefix-cache.ts";
import { serveBenchmark } from "./serve.ts";
import { speculation } from "./speculation.ts";
import { workerMemory, workerReady } from "./worker.ts";

function atLeast(bound: number, of: Bar["of"]): Bar {
  return { of, is: "at least", bound };
}

function atMost(bound: number, of: Bar["of"]): Bar {
  return { of, is: "at most", bound };
}

const prompt = { promptTokens: 16, steps: 64 };
/** Each step takes longer with more sequences. */
const shortAnswer = { promptTokens: 16, steps: 16 };
const longPrompt = { promptTokens: 4096, steps: 32 };
const served = { promptTokens: 32, answerTokens: 32 };

/** All of them. */
export const benchmarks: readonly Benchmark[] = [
  limitBenchmark("read-bandwidth"),
  limitBenchmark("read-bandwidth-anonymous"),
  limitBenchmark("int8-peak"),
  limitBenchmark("bf16-peak"),
  limitBenchmark("f32-peak"),
  decodeBenchmark("decode-q4-1", { dtype: "q4", sequences: 1, ...prompt }, [
    atLeast(1.5, "ratio"),
    atLeast(0.6, "ofLimit"),
  ]),
  decodeBenchmark("decode-q4-4", { dtype: "q4", sequences: 4, ...shortAnswer }, []),
  decodeBenchmark("decode-q4-8", { dtype: "q4", sequences: 8, ...shortAnswer }, [
    atLeast(2, "ratio"),
  ]),
  decodeBenchmark("decode-q4-16", { dtype: "q4", sequences: 16, ...shortAnswer }, []),
  decodeBenchmark("decode-q4-1-4096", { dtype: "q4", sequences: 1, ...longPrompt }, []),
  prefillBenchmark("prefill-q4-512", { dtype: "q4", promptTokens: 512 }, [atLeast(2.5, "ratio")]),
  prefillBenchmark("prefill-q4-4096", { dtype: "q4", promptTokens: 4096 }, []),
  clusterDecode("cluster-decode-q4", [atLeast(0.9, "ratio")]),
  clusterPrefill("cluster-prefill-q4", [atLeast(0.9, "ratio")]),
  fastPath("fast-path-1", { streams: 1 }),
  fastPath("fast-path-8", { streams: 8 }),
  serveBenchmark("serve-q4-1", { dtype: "q4", streams: 1, ...served }),
  serveBenchmark("serve-q4-8", { dtype: "q4", streams: 8, ...served }),
  serveBenchmark("serve-q4-32", { dtype: "q4", streams: 32, ...served }),
  prefixCache("prefix-cache"),
  chunkedPrefill("chunked-prefill", { stepTokens: 512, arrivalTokens: 2048 }),
  speculation("speculation", { text: "repeats", answerTokens: 192 }),
  speculation("speculation-1ms", { text: "repeats", answerTokens: 192, delayMs: 1 }),
  speculation("speculation-random", { text: "random", answerTokens: 192 }),
  microBatches("micro-batches-8", { streams: 8, linkDelayMs: 0 }),
  microBatches("micro-batches-16", { streams: 16, linkDelayMs: 0 }),
  microBatches("micro-batches-32", { streams: 32, linkDelayMs: 0 }),
  microBatches("micro-batches-1ms-8", { streams: 8, linkDelayMs: 1 }),
  microBatches("micro-batches-1ms-16", { streams: 16, linkDelayMs: 1 }),
  microBatches("micro-batches-1ms-32", { streams: 32, linkDelayMs: 1 }),
  longContextDecode("cluster-decode-q4-32k"),
  eventLoopDelay("event-loop-delay", [atMost(10, "value")]),
  callBenchmark("call-8k-1", [atMost(3, "ratio")]),
  callBenchmark("call-8k-8", [atMost(6, "ratio")]),
  callBenchmark("call-4m", [atMost(2.5, "ratio")]),
  coordinatorMemory("coordinator-memory", [atMost(1.1, "ratio")]),
  clusterWorkerMemory("cluster-worker-memory"),
  decodeBenchmark("decode-q8-1", { dtype: "q8", sequences: 1, ...prompt }, [
    atLeast(1.3, "ratio"),
    atLeast(0.75, "ofLimit"),
  ]),
  decodeBenchmark("decode-q8-8", { dtype: "q8", sequences: 8, ...shortAnswer }, []),
  prefillBenchmark("prefill-q8-512", { dtype: "q8", promptTokens: 512 }, [atLeast(2.5, "ratio")]),
  workerMemory("worker-memory", [atMost(1.1, "ratio")]),
  workerReady("worker-ready", [atMost(2, "value")]),
];

// Loaded into a service before its own code, by event-loop-watch.ts. On SIGUSR2 it begins to watch
// how late the event loop is, and writes an empty answer to say so; on the next one it stops, and
// writes what it saw.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";

const folder = process.env.BENCH_PROBE_DIR;
/** How often it looks, in ms. */
const resolutionMs = 1;

let histogram: ReturnType<typeof monitorEventLoopDelay> | undefined;

if (folder !== undefined) process.on("SIGUSR2", () => answer(folder, toggle()));

function toggle(): object {
  if (histogram === undefined) {
    histogram = monitorEventLoopDelay({ resolution: resolutionMs });
    histogram.enable();
    return {};
  }
  histogram.disable();
  // What is recorded is the time from one look to the next, and so never less than the interval.
  const toDelayMs = (nanoseconds: number) => nanoseconds / 1e6 - resolutionMs;
  const seen = {
    p50Ms: toDelayMs(histogram.percentile(50)),
    p99Ms: toDelayMs(histogram.percentile(99)),
    maxMs: toDelayMs(histogram.max),
  };
  histogram = undefined;
  return seen;
}

function answer(into: string, seen: object): void {
  const file = join(into, `${process.pid}.json`);
  writeFileSync(`${file}.partial`, JSON.stringify(seen));
  renameSync(`${file}.partial`, file);
}

// Progress of sharding: a bar on a terminal, a line every few seconds elsewhere. Standard error.
import { SingleBar } from "cli-progress";
import { formatBytes, formatDuration } from "./format.ts";

/** Shows how far a long write has come. */
export interface ShardDisplay {
  update(doneBytes: number, totalBytes: number): void;
  /** Ends the display; safe to call twice. */
  finish(): void;
}

const lineIntervalMs = 5_000;

/** The display that suits `stream`. Nothing is shown for work that is over at once. */
export function createShardDisplay(stream: NodeJS.WriteStream, title: string): ShardDisplay {
  return stream.isTTY ? barDisplay(stream, title) : lineDisplay(stream, title);
}

function barDisplay(stream: NodeJS.WriteStream, title: string): ShardDisplay {
  const bar = new SingleBar({
    stream,
    format: `${title} [{bar}] {percentage}%  {done} of {all}  {rate}/s  {left} left`,
    hideCursor: true,
    gracefulExit: false,
  });
  const startedMs = performance.now();
  let started = false;
  return {
    update(doneBytes, totalBytes) {
      const payload = describe(doneBytes, totalBytes, startedMs);
      if (!started) bar.start(totalBytes, doneBytes, payload);
      else bar.update(doneBytes, payload);
      started = true;
    },
    finish() {
      if (started) bar.stop();
      started = false;
    },
  };
}

function lineDisplay(stream: NodeJS.WriteStream, title: string): ShardDisplay {
  const startedMs = performance.now();
  let lastMs = startedMs;
  return {
    update(doneBytes, totalBytes) {
      const nowMs = performance.now();
      if (nowMs - lastMs < lineIntervalMs) return;
      lastMs = nowMs;
      const { done, all, rate, left } = describe(doneBytes, totalBytes, startedMs);
      stream.write(`octet: ${title}: ${done} of ${all}, ${rate}/s, ${left} left\n`);
    },
    finish() {},
  };
}

function describe(doneBytes: number, totalBytes: number, startedMs: number) {
  const seconds = Math.max(0.001, (performance.now() - startedMs) / 1000);
  const bytesPerSecond = doneBytes / seconds;
  return {
    done: formatBytes(doneBytes),
    all: formatBytes(totalBytes),
    rate: formatBytes(Math.round(bytesPerSecond)),
    left:
      bytesPerSecond > 0 ? formatDuration((totalBytes - doneBytes) / bytesPerSecond) : "unknown",
  };
}

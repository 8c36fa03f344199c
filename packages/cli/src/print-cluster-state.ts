// A cluster's state as a table.
import type { ClusterState, WorkerState } from "@octet/protocol";
import { formatBytes } from "./format.ts";

const columns = ["EXPERT", "WORKER", "ADDRESS", "STATE", "ENGINE", "WEIGHTS", "RAM"] as const;
const gap = "  ";

/** Two or three lines on the whole, a line for each worker, and why those are away that are. */
export function printClusterState(state: ClusterState): string {
  const { model, ready, scheduler, kvCache } = state;
  const [total, free, cached] = [
    kvCache?.blocksTotal ?? 0,
    kvCache?.blocksFree ?? 0,
    kvCache?.blocksCached ?? 0,
  ];
  const lines = [
    `${model}: ${ready ? "ready" : "not ready"}`,
    `${scheduler?.running ?? 0} running, ${scheduler?.waiting ?? 0} waiting; ` +
      `KV cache: ${total - free - cached} of ${total} blocks of ${kvCache?.blockTokens ?? 0} tokens, ` +
      `and ${cached} kept for prompts that begin alike`,
    ...toGuesses(scheduler),
    "",
    ...alignColumns([columns, ...state.workers.map(toRow)]),
  ];
  for (const { connected, address, lastError } of state.workers) {
    if (!connected && lastError !== "") lines.push(`${address}: ${lastError}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Said once there is something to say. */
function toGuesses(scheduler: ClusterState["scheduler"]): string[] {
  const { draftTokens = 0n, acceptedDraftTokens = 0n } = scheduler ?? {};
  if (draftTokens === 0n) return [];
  return [`${acceptedDraftTokens} of ${draftTokens} guessed tokens were right`];
}

function toRow(worker: WorkerState): string[] {
  const { expertIds, workerId, address, connected, engineKind, weightBytes, residentBytes } =
    worker;
  return [
    expertIds.join(","),
    workerId || "-",
    address,
    connected ? "connected" : "away",
    engineKind || "-",
    weightBytes === 0n ? "-" : formatBytes(Number(weightBytes)),
    residentBytes === 0n ? "-" : formatBytes(Number(residentBytes)),
  ];
}

function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(gap)
      .trimEnd(),
  );
}

// The short table at the end of a run.
import type { BenchResult } from "./result.ts";

const headings = ["", "value", "peer", "ratio", "of limit", "bar", "met"];

/** One line a result, in columns; Markdown, as docs/performance.md has it. */
export function formatTable(results: readonly BenchResult[]): string {
  const rows = [headings, ...results.map(toRow)];
  const widths = headings.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const toLine = (row: readonly string[], filler: string) =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i]!, filler)).join(" | ")} |\n`;
  const rule = toLine(Array(headings.length).fill("---"), "-");
  const [head, ...body] = rows.map((row) => toLine(row, " "));
  return [head, rule, ...body].join("");
}

/** The same in one line, for those who wait. */
export function formatResult(result: BenchResult): string {
  return toRow(result)
    .filter((cell) => cell !== "")
    .join("  ");
}

function toRow(result: BenchResult): string[] {
  const { name, unit, peer, peerName, ratio, ratioMin, ratioMax, ofLimit, limit, met } = result;
  return [
    name,
    `${formatNumber(result.value)} ${unit}`,
    peer === null ? "" : `${formatNumber(peer)} (${peerName})`,
    ratio === null ? "" : `${ratio.toFixed(2)} (${ratioMin!.toFixed(2)}–${ratioMax!.toFixed(2)})`,
    ofLimit === undefined ? "" : `${(ofLimit * 100).toFixed(0)} % of ${limit!.name}`,
    result.bar ?? "",
    met === null ? "" : met ? "yes" : "no",
  ];
}

/** Three digits that count, and no more. */
export function formatNumber(value: number): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return value.toFixed(Math.min(digits, 6));
}

// What was timed, as a table.
import type { KernelBench, KernelTiming } from "@octet/kernels";

const headings = ["", "step", "kernel", "µs", "MB read", "of reads", "M fma", "of fma"];

/** The device and its limits, then a line a kernel in the order they run; Markdown. */
export function formatBench({ device, rates, timings, timedBy }: KernelBench): string {
  const rows = [headings, ...timings.map(toRow)];
  const widths = headings.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const toLine = (row: readonly string[], filler: string) =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i]!, filler)).join(" | ")} |\n`;
  const rule = toLine(Array(headings.length).fill("---"), "-");
  const [head, ...body] = rows.map((row) => toLine(row, " "));
  const reads = `${(rates.readBytesPerSecond / 1e9).toFixed(1)} GB/s`;
  const fma = `${(rates.fmaPerSecond / 1e9).toFixed(1)} thousand million f32 fma/s`;
  return `${device}\nreads ${reads}, ${fma}; timed by the ${timedBy}\n\n${[head, rule, ...body].join("")}`;
}

function toRow(timing: KernelTiming): string[] {
  const { side, kind, rows, kernel, microseconds, bytesRead, multiplyAdds } = timing;
  return [
    side,
    `${kind} ${rows}`,
    kernel,
    microseconds.toFixed(1),
    bytesRead === 0 ? "" : (bytesRead / 1e6).toFixed(2),
    percent(timing.ofReads),
    multiplyAdds === undefined ? "" : (multiplyAdds / 1e6).toFixed(1),
    percent(timing.ofFma),
  ];
}

function percent(share: number | undefined): string {
  return share === undefined ? "" : `${(share * 100).toFixed(0)} %`;
}

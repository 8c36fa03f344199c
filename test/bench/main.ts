// npm run bench: see docs/performance.md.
import { fileURLToPath } from "node:url";
import { benchmarks } from "./benchmarks/registry.ts";
import {
  type BenchArguments,
  parseBenchArguments,
  UsageError,
  usage,
} from "./harness/arguments.ts";
import { BenchSetting } from "./harness/bench-setting.ts";
import { describeCommit, describeMachine } from "./harness/machine.ts";
import { otherLoad, readCpuTime } from "./harness/other-load.ts";
import { type BenchResult, toResult } from "./harness/result.ts";
import { formatResult, formatTable } from "./harness/table.ts";

/** More than this of the machine for others, and a result is worth little. */
const otherLoadMax = 0.05;

const root = fileURLToPath(new URL("../..", import.meta.url));

// What was started ends with us: see BenchCluster.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => process.exit(1));
}

try {
  const names = benchmarks.map(({ name }) => name);
  const options = parseBenchArguments(process.argv.slice(2), names);
  if (options.action === "help") process.stdout.write(usage);
  else if (options.action === "list") process.stdout.write(list());
  else if (options.action === "gpu-counts") await countOnGpu(options);
  else await run(options);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 2;
}

function list(): string {
  const width = Math.max(...benchmarks.map(({ name }) => name.length));
  return benchmarks.map(({ name, about }) => `${name.padEnd(width)}  ${about}\n`).join("");
}

async function countOnGpu({ json }: BenchArguments): Promise<void> {
  // Only now: no other benchmark needs the GPU engines.
  const { runGpuCounts } = await import("./gpu/run-gpu-counts.ts");
  const met = await runGpuCounts(json, (line) => process.stdout.write(`${line}\n`));
  if (!met) process.exitCode = 1;
}

async function run({ json, names, pairs }: BenchArguments): Promise<void> {
  const origin = { machine: describeMachine(), commit: describeCommit(root) };
  const say = (text: string) => process.stderr.write(`bench: ${text}\n`);
  await using setting = new BenchSetting({ pairs, say });
  const results: BenchResult[] = [];
  for (const benchmark of benchmarks.filter(({ name }) => names.includes(name))) {
    say(benchmark.name);
    const start = readCpuTime();
    const measured = await benchmark.measure(setting);
    const end = readCpuTime();
    const load = start && end && otherLoad(start, end);
    const result = toResult(benchmark, measured, { otherLoad: load, ...origin });
    results.push(result);
    if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
    else say(formatResult(result));
    if (load !== undefined && load > otherLoadMax) {
      const percent = (load * 100).toFixed(0);
      say(`other programs took ${percent} % of the machine meanwhile: run ${result.name} again`);
    }
  }
  if (!json) process.stdout.write(formatTable(results));
}

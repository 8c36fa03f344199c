// octet bench: kernels on this machine's GPU against what that GPU can do.
import { type WeightDtype, weightDtypes } from "@octet/core";
import { type Command, Option } from "commander";
import { benchModels } from "../bench/bench-models.ts";

interface BenchFlags {
  readonly engine: "webgpu";
  readonly model: keyof typeof benchModels;
  readonly dtype: WeightDtype;
  readonly tune?: boolean;
  readonly gpuAdapter?: string;
  readonly allowSoftwareGpu?: boolean;
  readonly json?: boolean;
}

/** Adds `octet bench` to the program. */
export function addBenchCommand(program: Command): void {
  program
    .command("bench")
    .description("time every GPU kernel against the bandwidth and fma rate of the same GPU")
    .addOption(
      new Option("--engine <kind>", "whose kernels").choices(["webgpu"]).makeOptionMandatory(),
    )
    .addOption(
      new Option("--model <shape>", "shapes to time at: Mixtral 8x7B's, or a small model's")
        .choices(Object.keys(benchModels))
        .default("mixtral"),
    )
    .addOption(
      new Option("--dtype <dtype>", "how matrices are stored").choices(weightDtypes).default("q4"),
    )
    .option("--tune", "first choose between kernels of different sizes, and keep the choice")
    .option("--gpu-adapter <name>", "part of the GPU's name (OCTET_GPU_ADAPTER)")
    .option("--allow-software-gpu", "time a software adapter, whose figures mean nothing")
    .option("--json", "print one JSON object on standard output")
    .addHelpText(
      "after",
      `
Weights are random, and enough of them that no cache holds them. Choices are kept in
OCTET_CACHE_DIR, or octet in the user's cache folder; engines take them from there.
Processors, whole models and llama.cpp: npm run bench.`,
    )
    .action(runBench);
}

async function runBench(flags: BenchFlags): Promise<void> {
  // Only now: few commands need the kernels.
  const [{ cacheFolder, runKernelBench }, { formatBench }] = await Promise.all([
    import("@octet/kernels"),
    import("../bench/print-bench.ts"),
  ]);
  const say = (text: string) => process.stderr.write(`octet: ${text}\n`);
  const bench = await runKernelBench({
    ...benchModels[flags.model],
    weightDtype: flags.dtype,
    allowSoftwareAdapter: flags.allowSoftwareGpu ?? process.env.OCTET_ALLOW_SOFTWARE_GPU === "true",
    adapterName: flags.gpuAdapter ?? (process.env.OCTET_GPU_ADAPTER || undefined),
    subgroupMatrices: process.env.OCTET_GPU_SUBGROUP_MATRICES === "true",
    tuning: { cacheDir: cacheFolder(process.env), tune: flags.tune ?? false },
  });
  for (const note of bench.notes) say(note);
  if (bench.isSoftware) say(`${bench.device} computes on the CPU: these figures mean nothing`);
  const { model, dtype } = flags;
  process.stdout.write(
    flags.json ? `${JSON.stringify({ model, dtype, ...bench })}\n` : formatBench(bench),
  );
}

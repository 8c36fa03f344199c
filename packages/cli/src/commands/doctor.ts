// octet doctor: what this machine can compute on, and what is missing.
import { type Command, Option } from "commander";
import { exitCodes } from "../exit-codes.ts";
import { userPath } from "../model-folder.ts";

interface DoctorFlags {
  readonly engine?: "cpu" | "webgpu";
  readonly shard?: string;
  readonly allowSoftwareGpu?: boolean;
  readonly json?: boolean;
}

/** Adds `octet doctor` to the program. */
export function addDoctorCommand(program: Command): void {
  program
    .command("doctor")
    .description("show processor, GPUs and drivers as engines see them, and what is missing")
    .addOption(
      new Option("--engine <kind>", "fail unless this engine can be used").choices([
        "cpu",
        "webgpu",
      ]),
    )
    .option("--shard <dir>", "look at this shard too, and whether it fits")
    .option("--allow-software-gpu", "count a software adapter (OCTET_ALLOW_SOFTWARE_GPU)")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Exits 0 if an engine can be used (the one that --engine names), else 1. Drivers are asked in
processes of their own, since some abort. docs/gpu.md says more on each GPU.`,
    )
    .action(async (flags: DoctorFlags) => {
      // Only now: no other command needs the kernels.
      const [{ gatherFacts }, { diagnose }, { formatReport }] = await Promise.all([
        import("../doctor/doctor-facts.ts"),
        import("../doctor/diagnose.ts"),
        import("../doctor/print-facts.ts"),
      ]);
      const shard = flags.shard === undefined ? undefined : userPath(flags.shard);
      const facts = await gatherFacts(process.env, shard);
      const allowSoftware =
        flags.allowSoftwareGpu ?? process.env.OCTET_ALLOW_SOFTWARE_GPU === "true";
      const diagnosis = diagnose(facts, allowSoftware);
      const { cpu, webgpu, findings } = diagnosis;
      process.stdout.write(
        flags.json
          ? `${JSON.stringify({ engines: { cpu, webgpu }, findings, ...facts })}\n`
          : formatReport(facts, diagnosis),
      );
      const asked = flags.engine === undefined ? [cpu, webgpu] : [diagnosis[flags.engine]];
      const isShardBad = facts.shard?.problem !== undefined;
      if (isShardBad || !asked.some(({ isUsable }) => isUsable)) {
        process.exitCode = exitCodes.failure;
      }
    });
}

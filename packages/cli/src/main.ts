#!/usr/bin/env node
// The octet command: parses, runs one subcommand, and turns its end into an exit code.
import { OctetError } from "@octet/client";
import { Command, CommanderError } from "commander";
import { addBenchCommand } from "./commands/bench.ts";
import { addChatCommand } from "./commands/chat.ts";
import { addDoctorCommand } from "./commands/doctor.ts";
import { addGenerateCommand } from "./commands/generate.ts";
import { addHealthCommand } from "./commands/health.ts";
import { addPsCommand } from "./commands/ps.ts";
import { addRunCommand } from "./commands/run.ts";
import { addServeCommand } from "./commands/serve.ts";
import { addShardCommand } from "./commands/shard.ts";
import { addUpCommand } from "./commands/up.ts";
import { CommandError, exitCodeHelp, exitCodes } from "./exit-codes.ts";
import { exitCodeOf } from "./inference-client.ts";
import { Interrupted, interruptSignal } from "./interrupt.ts";

const program = new Command("octet")
  .description(
    "Serves Mixtral models from a cluster in which every expert is a service of its own.",
  )
  .version("0.1.0")
  .showHelpAfterError("(octet --help lists the commands)")
  .addHelpText("after", `\n${exitCodeHelp}`)
  .configureHelp({ showGlobalOptions: true })
  .exitOverride();

addRunCommand(program);
addUpCommand(program);
addGenerateCommand(program);
addChatCommand(program);
addShardCommand(program);
addServeCommand(program);
addHealthCommand(program);
addPsCommand(program);
addBenchCommand(program);
addDoctorCommand(program);

// A reader that went away, such as `head`, is no failure of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? exitCodes.ok : exitCodes.failure);
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Says what went wrong, on standard error, and gives the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  // Whatever failed because it was told to stop did not fail.
  if (error instanceof Interrupted || interruptSignal().aborted) {
    process.stderr.write("octet: interrupted\n");
    return exitCodes.interrupted;
  }
  if (error instanceof CommandError) {
    process.stderr.write(`octet: ${error.message}\n`);
    return error.exitCode;
  }
  // Errors with a code of ours are expected and say all there is to say; others are bugs.
  const expected = error instanceof Error && "code" in error && typeof error.code === "string";
  const text = error instanceof Error ? (expected ? error.message : error.stack) : String(error);
  process.stderr.write(`octet: ${text}\n`);
  return error instanceof OctetError ? exitCodeOf(error) : exitCodes.failure;
}

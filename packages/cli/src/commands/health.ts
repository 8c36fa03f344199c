// octet health: asks a service's grpc.health.v1, for container health checks and scripts.
import { checkHealth, readinessName } from "@octet/protocol";
import type { Command } from "commander";
import { CommandError, exitCodes } from "../exit-codes.ts";
import { parseWhole } from "../sampling-flags.ts";
import { defaultAddress } from "./default-address.ts";

interface HealthFlags {
  readonly grpc: string;
  readonly service: string;
  readonly timeoutMs: number;
}

/** Adds `octet health` to the program. */
export function addHealthCommand(program: Command): void {
  program
    .command("health")
    .description("exit 0 if a service is ready, 3 if it is not or cannot be reached")
    .option("--grpc <host:port>", "the coordinator or worker", defaultAddress)
    .option("--service <name>", 'what to ask for: "readiness", "" or a full name', readinessName)
    .option("--timeout-ms <ms>", "longest to wait for the answer", parseWhole, 2_000)
    .action(async (flags: HealthFlags) => {
      let serving: boolean;
      try {
        serving = await checkHealth(flags.grpc, flags.service, { deadlineMs: flags.timeoutMs });
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new CommandError(`${flags.grpc}: ${why}`, {
          exitCode: exitCodes.unavailable,
          cause: error,
        });
      }
      process.stdout.write(`${flags.grpc} ${serving ? "SERVING" : "NOT_SERVING"}\n`);
      if (!serving) process.exitCode = exitCodes.unavailable;
    });
}

// octet health: asks a service's grpc.health.v1, for container health checks and scripts.
import {
  callLean,
  checkHealth,
  connectLean,
  ExpertService,
  InferenceService,
  readinessName,
} from "@octet/protocol";
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
      else process.stdout.write(await describeService(flags.grpc, flags.timeoutMs));
    });
}

/** A line on what computes there, if it is a service of ours that says so; else nothing. */
async function describeService(address: string, deadlineMs: number): Promise<string> {
  const worker = await describeWorker(address, deadlineMs).catch(() => undefined); // not one
  return worker ?? (await describeCoordinator(address, deadlineMs).catch(() => "")); // nor that
}

/** By a lean connection, as a worker would load grpc-js for any other. */
async function describeWorker(address: string, deadlineMs: number): Promise<string | undefined> {
  const lean = await connectLean(address, { signal: AbortSignal.timeout(deadlineMs) });
  if (lean === undefined) return undefined;
  try {
    const { describe } = ExpertService.method;
    const said = await callLean(lean, describe, { request: {}, deadlineMs });
    const experts = said.expertIds.join(", ");
    return `${said.workerId}: experts ${experts}, engine ${said.engineKind} (${said.device})\n`;
  } finally {
    lean.connection.destroy("asked and answered");
  }
}

async function describeCoordinator(address: string, deadlineMs: number): Promise<string> {
  const { createClient } = await import("@octet/protocol/grpc");
  const client = createClient(InferenceService, address);
  try {
    const { models } = await client.listModels({}, { deadlineMs });
    return models
      .map(({ name, engineKind, workerEngineKinds }) => {
        return `${name}: engine ${engineKind}, workers ${workerEngineKinds.join(", ")}\n`;
      })
      .join("");
  } finally {
    client.close();
  }
}

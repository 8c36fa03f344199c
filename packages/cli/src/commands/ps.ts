// octet ps: the workers of a running cluster, its KV cache and its sequences.
import { toJsonString } from "@bufbuild/protobuf";
import { type ClusterState, ClusterStateSchema, InferenceService } from "@octet/protocol";
import { createClient, fromServiceError } from "@octet/protocol/grpc";
import type { Command } from "commander";
import { CommandError, exitCodes } from "../exit-codes.ts";
import { interruptSignal } from "../interrupt.ts";
import { printClusterState } from "../print-cluster-state.ts";
import { defaultAddress } from "./default-address.ts";

interface PsFlags {
  readonly address: string;
  readonly json?: boolean;
  readonly watch?: boolean;
}

const unaryDeadlineMs = 10_000;
/** A watch ends with Ctrl-C, or the cluster. */
const watchDeadlineMs = 24 * 60 * 60 * 1000;
const clearScreen = "\x1b[H\x1b[2J";

/** Adds `octet ps` to the program. */
export function addPsCommand(program: Command): void {
  program
    .command("ps")
    .description("show the workers of a running cluster, its KV cache and its sequences")
    .option("--address <host:port>", "the coordinator", defaultAddress)
    .option("--json", "print one JSON object a line, as WatchClusterState sends them")
    .option("--watch", "go on, printing each change")
    .action(async (flags: PsFlags) => {
      const signal = interruptSignal();
      const client = createClient(InferenceService, flags.address);
      try {
        if (flags.watch) {
          const bounds = { deadlineMs: watchDeadlineMs, signal };
          for await (const { state } of client.watchClusterState({}, bounds)) show(state, flags);
        } else {
          const bounds = { deadlineMs: unaryDeadlineMs, signal };
          show((await client.getClusterState({}, bounds)).state, flags);
        }
      } catch (error) {
        throw toCommandError(error, flags.address);
      } finally {
        client.close();
      }
    });
}

function show(state: ClusterState | undefined, flags: PsFlags): void {
  if (state === undefined) throw new CommandError(`${flags.address} sent no state`);
  if (flags.json) {
    const text = toJsonString(ClusterStateSchema, state, { alwaysEmitImplicit: true });
    process.stdout.write(`${text}\n`);
    return;
  }
  const table = printClusterState(state);
  if (!flags.watch) process.stdout.write(table);
  else process.stdout.write(process.stdout.isTTY ? clearScreen + table : `${table}\n`);
}

function toCommandError(error: unknown, address: string): unknown {
  const failure = fromServiceError(error);
  if (failure === undefined) return error;
  const isRefused = failure.reason === "not_supported" || failure.reason === "invalid_parameter";
  return new CommandError(`${address}: ${failure.message}`, {
    exitCode: isRefused ? exitCodes.refused : exitCodes.unavailable,
    cause: error,
  });
}

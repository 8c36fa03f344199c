// octet chat: a conversation, with the cluster that runs or one of its own.
import { checkHealth } from "@octet/protocol";
import type { Command } from "commander";
import { runChat } from "../chat-session.ts";
import { connectInference } from "../inference-client.ts";
import { interruptSignal } from "../interrupt.ts";
import {
  addClusterFlags,
  type ClusterFlags,
  startLocalCluster,
} from "../local-cluster/cluster-flags.ts";
import { addSamplingFlags, type SamplingFlags, toRequestParams } from "../sampling-flags.ts";
import { defaultAddress } from "./default-address.ts";

interface ChatFlags extends ClusterFlags, SamplingFlags {
  readonly address?: string;
  readonly system?: string;
  readonly verbose?: boolean;
}

/** How long to look for a cluster at the default address, in ms. */
const lookTimeoutMs = 1_000;
const lookUpDeadlineMs = 10_000;

/** Adds `octet chat` to the program. */
export function addChatCommand(program: Command): void {
  const command = program
    .command("chat")
    .description("talk with a model; Ctrl-C stops an answer, Ctrl-D leaves")
    .option("--address <host:port>", `the coordinator (default: ${defaultAddress} if one is there)`)
    .option("--system <text>", "instructions that precede the conversation")
    .option("--verbose", "say how fast each answer was, on standard error");
  addSamplingFlags(addClusterFlags(command))
    .addHelpText(
      "after",
      `
With --model, or if no coordinator is at ${defaultAddress}, a cluster is started for the
conversation and stopped after it.`,
    )
    .action(async (flags: ChatFlags) => {
      const signal = interruptSignal();
      const address = await findCoordinator(flags);
      if (address !== undefined) return talk(address, flags, signal);
      const started = await startLocalCluster(flags, {}, signal);
      try {
        await Promise.race([talk(started.address, flags, signal), started.cluster.failed]);
      } finally {
        await started.cluster.stop();
      }
    });
}

/** The address asked for, or that of a cluster which runs; undefined if one must be started. */
async function findCoordinator(flags: ChatFlags): Promise<string | undefined> {
  if (flags.address !== undefined) return flags.address;
  if (flags.model !== undefined) return undefined;
  try {
    await checkHealth(defaultAddress, "", { deadlineMs: lookTimeoutMs });
    return defaultAddress;
  } catch {
    return undefined;
  }
}

async function talk(address: string, flags: ChatFlags, signal: AbortSignal): Promise<void> {
  const client = connectInference(address);
  try {
    const model = await client.getModel("", { deadlineMs: lookUpDeadlineMs, signal });
    process.stderr.write(`octet: ${model.name} at ${address}\n`);
    await runChat({
      client,
      params: toRequestParams(flags),
      system: flags.system,
      verbose: flags.verbose === true,
      signal,
    });
  } finally {
    client.close();
  }
}

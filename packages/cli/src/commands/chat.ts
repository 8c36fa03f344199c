// octet chat: a conversation with a running cluster.
import type { Command } from "commander";
import { runChat } from "../chat-session.ts";
import { connectInference } from "../inference-client.ts";
import { interruptSignal } from "../interrupt.ts";
import { addSamplingFlags, type SamplingFlags, toRequestParams } from "../sampling-flags.ts";
import { defaultAddress } from "./default-address.ts";

interface ChatFlags extends SamplingFlags {
  readonly address: string;
  readonly system?: string;
  readonly verbose?: boolean;
}

/** Adds `octet chat` to the program. */
export function addChatCommand(program: Command): void {
  const command = program
    .command("chat")
    .description("talk with a running cluster; Ctrl-C stops an answer, Ctrl-D leaves")
    .option("--address <host:port>", "the coordinator", defaultAddress)
    .option("--system <text>", "instructions that precede the conversation")
    .option("--verbose", "say how fast each answer was, on standard error");
  addSamplingFlags(command).action(async (flags: ChatFlags) => {
    const client = connectInference(flags.address);
    const signal = interruptSignal();
    try {
      const model = await client.getModel(signal);
      process.stderr.write(`octet: ${model.name} at ${flags.address}\n`);
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
  });
}

// octet generate: one prompt to a running cluster, the answer to standard output.
import { text as readAll } from "node:stream/consumers";
import type { Command } from "commander";
import { CommandError, exitCodes } from "../exit-codes.ts";
import { connectInference } from "../inference-client.ts";
import { interruptSignal } from "../interrupt.ts";
import { readAnswer, summarise, toJson } from "../print-answer.ts";
import {
  addOutputFlags,
  addSamplingFlags,
  type SamplingFlags,
  toRequestParams,
} from "../sampling-flags.ts";
import { defaultAddress } from "./default-address.ts";

interface GenerateFlags extends SamplingFlags {
  readonly address: string;
  readonly chat?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** Adds `octet generate` to the program. */
export function addGenerateCommand(program: Command): void {
  const command = program
    .command("generate")
    .description("send one prompt to a running cluster and print the answer")
    .argument("[prompt]", "text to continue; standard input if left out")
    .option("--address <host:port>", "the coordinator", defaultAddress)
    .option("--chat", "send the prompt as a user's message, with the model's chat template")
    .option("--json", "print one JSON object with token ids, timings and who answered")
    .option("--verbose", "say how fast it was, on standard error");
  addOutputFlags(addSamplingFlags(command))
    .addHelpText(
      "after",
      `
Examples:
  octet generate "Once upon a time" --temperature 0
  echo "What is a fox?" | octet generate --chat --json`,
    )
    .action(async (prompt: string | undefined, flags: GenerateFlags) => {
      const signal = interruptSignal();
      const text = prompt ?? (await readPrompt());
      const client = connectInference(flags.address);
      try {
        const answer = await readAnswer(
          client.generate(
            {
              ...(flags.chat ? { messages: [{ role: "user", content: text }] } : { text }),
              ...toRequestParams(flags),
              details: flags.json === true,
            },
            { signal },
          ),
          (piece) => {
            if (!flags.json) process.stdout.write(piece);
          },
        );
        process.stdout.write(flags.json ? `${JSON.stringify(toJson(answer))}\n` : "\n");
        if (flags.verbose) process.stderr.write(`octet: ${summarise(answer)}\n`);
      } finally {
        client.close();
      }
    });
}

async function readPrompt(): Promise<string> {
  if (process.stdin.isTTY) {
    throw new CommandError('name a prompt: octet generate "Once upon a time"', {
      exitCode: exitCodes.usage,
    });
  }
  return (await readAll(process.stdin)).replace(/\r?\n$/, "");
}

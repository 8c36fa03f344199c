// octet run: a whole cluster for one prompt, or one conversation; nothing is left behind.
import { text as readAll } from "node:stream/consumers";
import type { OctetClient } from "@octet/client";
import type { Command } from "commander";
import { runChat } from "../chat-session.ts";
import { connectInference } from "../inference-client.ts";
import { interruptSignal } from "../interrupt.ts";
import {
  addClusterFlags,
  type ClusterFlags,
  startLocalCluster,
} from "../local-cluster/cluster-flags.ts";
import { readAnswer, summarise, toJson } from "../print-answer.ts";
import {
  addOutputFlags,
  addSamplingFlags,
  type SamplingFlags,
  toRequestParams,
} from "../sampling-flags.ts";

interface RunFlags extends ClusterFlags, SamplingFlags {
  readonly chat?: boolean;
  readonly json?: boolean;
}

/** Short enough to be read at once; greedy, so that a first try can be repeated. */
const runDefaults = { temperature: 0, maxTokens: 128 };

/** What is continued when nobody named a prompt. */
const examplePrompt = "Once upon a time";

/** Adds `octet run` to the program. */
export function addRunCommand(program: Command): void {
  const command = program
    .command("run")
    .description("start a cluster, answer one prompt, stop the cluster")
    .argument("[prompt]", "text to continue; a conversation if left out on a terminal")
    .option("--chat", "send the prompt as a user's message, with the model's chat template")
    .option("--json", "print one JSON object with token ids, timings and who answered");
  addOutputFlags(addSamplingFlags(addClusterFlags(command)))
    .addHelpText(
      "after",
      `
Greedy and at most ${runDefaults.maxTokens} tokens, unless flags say otherwise. Without a prompt: a
conversation on a terminal, standard input from a pipe.`,
    )
    .action(async (prompt: string | undefined, flags: RunFlags) => {
      const signal = interruptSignal();
      const text = prompt ?? (await pipedPrompt());
      const { cluster, address } = await startLocalCluster(flags, {}, signal);
      const client = connectInference(address);
      try {
        const work =
          text === undefined
            ? converse(client, flags, signal)
            : answerOnce(client, text, flags, signal);
        await Promise.race([work, cluster.failed]);
      } finally {
        client.close();
        await cluster.stop();
      }
    });
}

/** What a pipe holds; the example if it is empty; undefined on a terminal. */
async function pipedPrompt(): Promise<string | undefined> {
  if (process.stdin.isTTY) return undefined;
  const piped = (await readAll(process.stdin)).replace(/\r?\n$/, "");
  return piped === "" ? examplePrompt : piped;
}

async function converse(client: OctetClient, flags: RunFlags, signal: AbortSignal): Promise<void> {
  await runChat({
    client,
    params: toRequestParams(flags, runDefaults),
    system: undefined,
    verbose: false,
    signal,
  });
}

async function answerOnce(
  client: OctetClient,
  text: string,
  flags: RunFlags,
  signal: AbortSignal,
): Promise<void> {
  if (!flags.json && !flags.chat) process.stdout.write(text);
  const answer = await readAnswer(
    client.generate(
      {
        ...(flags.chat ? { messages: [{ role: "user", content: text }] } : { text }),
        ...toRequestParams(flags, runDefaults),
        details: flags.json === true,
      },
      { signal },
    ),
    (piece) => {
      if (!flags.json) process.stdout.write(piece);
    },
  );
  process.stdout.write(flags.json ? `${JSON.stringify(toJson(answer))}\n` : "\n");
  process.stderr.write(`octet: ${summarise(answer)}\n`);
}

// A conversation in a terminal: read a line, stream the answer, remember both.
import { createInterface } from "node:readline";
import type { OctetClient } from "@octet/client";
import { Interrupted } from "./interrupt.ts";
import { readAnswer, summarise } from "./print-answer.ts";
import type { toRequestParams } from "./sampling-flags.ts";

/** What a conversation needs. */
export interface ChatOptions {
  readonly client: OctetClient;
  readonly params: ReturnType<typeof toRequestParams>;
  readonly system: string | undefined;
  readonly verbose: boolean;
  /** Ends the conversation. */
  readonly signal: AbortSignal;
}

interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

const help = `  /clear    forget the conversation
  /help     this text
  /bye      leave; so does Ctrl-D
  Ctrl-C    stop the answer; at an empty prompt, leave
`;

/**
 * Talks until the user leaves. On a terminal there is a prompt and Ctrl-C stops the answer under
 * way; from a pipe, each line is one message.
 */
export async function runChat(options: ChatOptions): Promise<void> {
  const { client, params, signal } = options;
  const interactive = process.stdin.isTTY === true && process.stderr.isTTY === true;
  const system: Message[] =
    options.system === undefined ? [] : [{ role: "system", content: options.system }];
  let messages = [...system];

  const lines = createInterface({
    input: process.stdin,
    output: interactive ? process.stderr : undefined,
    terminal: interactive,
    prompt: ">>> ",
  });
  let answering: AbortController | undefined;
  lines.on("SIGINT", () => {
    if (answering !== undefined) answering.abort(new Interrupted("Ctrl-C"));
    else lines.close();
  });
  const close = () => {
    answering?.abort(signal.reason);
    lines.close();
  };
  signal.addEventListener("abort", close, { once: true });
  if (interactive) {
    process.stderr.write("Type a message; /help for help.\n");
    lines.prompt();
  }

  try {
    for await (const line of lines) {
      const text = line.trim();
      if (text === "/bye" || signal.aborted) break;
      if (text === "/clear") messages = [...system];
      else if (text === "/help") process.stderr.write(help);
      else if (text !== "") {
        answering = new AbortController();
        messages.push({ role: "user", content: text });
        const answer = await answerOnce(client, messages, params, answering.signal);
        answering = undefined;
        if (answer.text === "") messages.pop();
        else messages.push({ role: "assistant", content: answer.text });
        if (options.verbose && answer.summary !== undefined) {
          process.stderr.write(`octet: ${answer.summary}\n`);
        }
      }
      if (signal.aborted) break;
      if (interactive) lines.prompt();
    }
  } finally {
    signal.removeEventListener("abort", close);
    lines.close();
  }
}

/** A failure is said and the conversation goes on; what had come of the answer is kept. */
async function answerOnce(
  client: OctetClient,
  messages: readonly Message[],
  params: ChatOptions["params"],
  signal: AbortSignal,
): Promise<{ text: string; summary: string | undefined }> {
  let soFar = "";
  try {
    const request = { messages, ...params };
    const answer = await readAnswer(client.generate(request, { signal }), (piece) => {
      soFar += piece;
      process.stdout.write(piece);
    });
    process.stdout.write("\n");
    return { text: soFar, summary: summarise(answer) };
  } catch (error) {
    if (soFar !== "") process.stdout.write("\n");
    const why = error instanceof Interrupted ? "stopped" : String((error as Error).message);
    process.stderr.write(`octet: ${why}\n`);
    return { text: soFar, summary: undefined };
  }
}

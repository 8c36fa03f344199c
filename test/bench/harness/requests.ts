// Questions in JSON between the harness and the processes that it measures.
import { createInterface } from "node:readline";
import type { LineChild } from "./line-child.ts";

/** What a process can be asked: an asynchronous function for each question. */
export type Answers = Readonly<Record<string, (argument: never) => Promise<unknown>>>;

type Reply = { readonly result: unknown } | { readonly error: string };

/** Asks a child that runs {@link answerRequests} for one of its answers. */
export async function ask<All extends Answers, Name extends keyof All & string>(
  child: LineChild,
  name: Name,
  argument: Parameters<All[Name]>[0],
): Promise<Awaited<ReturnType<All[Name]>>> {
  const reply = JSON.parse(await child.ask(JSON.stringify({ name, argument }))) as Reply;
  if ("error" in reply) throw new Error(reply.error);
  // The child runs the same type's answers.
  return reply.result as Awaited<ReturnType<All[Name]>>;
}

/** Answers standard input's questions on standard output, one after the other, until it ends. */
export async function answerRequests(answers: Answers): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const reply = await replyTo(line, answers);
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
}

async function replyTo(line: string, answers: Answers): Promise<Reply> {
  try {
    const { name, argument } = JSON.parse(line) as { name: string; argument: never };
    const answer = answers[name];
    if (answer === undefined) throw new Error(`no question is named ${name}`);
    return { result: (await answer(argument)) ?? null };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

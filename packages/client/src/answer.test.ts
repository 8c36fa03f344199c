// Whole answers, one and several.
import { FinishReason } from "@octet/protocol";
import { afterEach, expect, test } from "vitest";
import { InternalError } from "./errors.ts";
import { OctetClient } from "./octet-client.ts";
import { type GenerateCall, serveScript } from "./testing/scripted-coordinator.ts";

const open: { server: AsyncDisposable; client: OctetClient }[] = [];
afterEach(async () => {
  for (const { client, server } of open.splice(0)) {
    client.close();
    await server[Symbol.asyncDispose]();
  }
});

async function connect(script: (call: GenerateCall) => void) {
  const server = await serveScript(script);
  const client = new OctetClient(server.address);
  open.push({ server, client });
  return { client, server };
}

const logprobsOf = (tokenId: number) => ({ chosen: { tokenId, logprob: -1 }, rank: 1 });

/** Two answers that take turns; the second ends first. */
function answerTwice(call: GenerateCall): void {
  call.write({ event: { case: "started", value: { requestId: "r", seed: 9n } } });
  call.write({ event: { case: "promptLogprobs", value: { tokens: [logprobsOf(2)] } } });
  const delta = (index: number, text: string, tokenId: number) =>
    call.write({
      event: {
        case: "delta",
        value: { index, text, tokenIds: [tokenId], logprobs: [logprobsOf(tokenId)] },
      },
    });
  const finish = (index: number) =>
    call.write({ event: { case: "finished", value: { index, reason: FinishReason.STOP } } });
  delta(1, "There ", 7);
  delta(0, "Once ", 4);
  delta(1, "was", 8);
  finish(1);
  delta(0, "upon", 5);
  finish(0);
  call.end();
}

test("answers to one prompt are read whole, in order", async () => {
  const { client, server } = await connect(answerTwice);
  const answers = await client.generate({ text: "x", n: 2 }).completeAll();
  expect(answers).toMatchObject([
    { text: "Once upon", tokenIds: [4, 5], finished: { index: 0 }, started: { seed: 9n } },
    { text: "There was", tokenIds: [7, 8], finished: { index: 1 }, started: { seed: 9n } },
  ]);
  for (const { tokenIds, logprobs, promptLogprobs, toolCalls } of answers) {
    expect(logprobs.map(({ chosen }) => chosen!.tokenId)).toEqual(tokenIds);
    expect(promptLogprobs.map(({ chosen }) => chosen!.tokenId)).toEqual([2]);
    expect(toolCalls).toEqual([]);
  }
  expect(server.requests[0]!.n).toBe(2);
});

test("what reads one answer refuses several before it asks", async () => {
  const { client, server } = await connect(answerTwice);
  await expect(client.generate({ text: "x", n: 2 }).text()).rejects.toThrow("completeAll");
  await expect(client.generate({ text: "x", n: 2 }).complete()).rejects.toThrow("2 answers");
  expect(server.requests).toEqual([]);
});

test("a stream that ends with fewer answers than asked for is a fault", async () => {
  const { client } = await connect(answerTwice);
  const three = client.generate({ text: "x", n: 3 }).completeAll();
  await expect(three).rejects.toBeInstanceOf(InternalError);
});

test("a request for no answer is the coordinator's to refuse", async () => {
  const { client, server } = await connect(answerTwice);
  await client.generate({ text: "x", n: 0 }).complete();
  expect(server.requests[0]!.n).toBe(0);
});

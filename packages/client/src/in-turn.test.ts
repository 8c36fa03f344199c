// Several coordinators, each asked once, over connections of the caller's own.
import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { FinishReason, GenerateRequestSchema, InferenceService } from "@octet/protocol";
import { createClient } from "@octet/protocol/grpc-client";
import { afterEach, expect, test } from "vitest";
import type { Endpoint, Retry } from "./call.ts";
import { AnswerChangedError, InvalidRequestError, UnavailableError } from "./errors.ts";
import { answerInTurn, askInTurn } from "./in-turn.ts";
import { fail, type GenerateCall, serveScript } from "./testing/scripted-coordinator.ts";

const open = new Set<AsyncDisposable>();
afterEach(async () => {
  for (const one of open) await one[Symbol.asyncDispose]();
  open.clear();
});

/** Coordinators that do as the scripts say, and what each was asked. */
async function serveAll(...scripts: ((call: GenerateCall) => void)[]) {
  const servers = await Promise.all(scripts.map((script) => serveScript(script)));
  const endpoints = servers.map(({ address }): Endpoint => {
    const service = createClient(InferenceService, address);
    open.add({ [Symbol.asyncDispose]: async () => service.close() });
    return { address, service };
  });
  for (const server of servers) open.add(server);
  return { endpoints, asked: () => servers.map(({ requests }) => requests.length) };
}

const words = ["Once ", "upon ", "a ", "time"];
const down = (call: GenerateCall) => fail(call, status.UNAVAILABLE);

/** Says the first so many words, and then ends as it is told. */
function saying(count: number, end: (call: GenerateCall) => void, seed = 9n) {
  return (call: GenerateCall) => {
    call.write({ event: { case: "started", value: { seed } } });
    for (const text of words.slice(0, count)) {
      call.write({ event: { case: "delta", value: { text } } });
    }
    end(call);
  };
}
const whole = saying(words.length, (call) => {
  call.write({ event: { case: "finished", value: { reason: FinishReason.STOP } } });
  call.end();
});

async function textOf(endpoints: readonly Endpoint[], onRetry?: (retry: Retry) => void) {
  const request = create(GenerateRequestSchema, { input: { case: "text", value: "x" } });
  const options = { deadlineMs: 60_000, ...(onRetry && { onRetry }) };
  let text = "";
  for await (const event of answerInTurn(endpoints, { method: "generate", request }, options)) {
    if (event.case === "delta") text += event.value.text;
  }
  return text;
}

test("each is asked once until one answers, and those after it never", async () => {
  const { endpoints, asked } = await serveAll(down, down, whole, whole);
  const retries: Retry[] = [];
  expect(await textOf(endpoints, (retry) => retries.push(retry))).toBe("Once upon a time");
  expect(asked()).toEqual([1, 1, 1, 0]);
  expect(retries.map(({ address, waitMs }) => [address, waitMs])).toEqual([
    [endpoints[1]!.address, 0],
    [endpoints[2]!.address, 0],
  ]);
});

test("those that failed before an answer got further are asked again after it", async () => {
  const { endpoints, asked } = await serveAll(saying(1, down), saying(3, down));
  // One word, then three, then no more.
  await expect(textOf(endpoints)).rejects.toBeInstanceOf(UnavailableError);
  expect(asked()).toEqual([2, 1]);
  const alone = await serveAll(saying(1, down));
  await expect(textOf(alone.endpoints)).rejects.toBeInstanceOf(UnavailableError);
  expect(alone.asked()).toEqual([1]);
});

test("what asking again cannot help is not asked of others, nor what came out otherwise", async () => {
  const refusing = await serveAll((call) => fail(call, status.INVALID_ARGUMENT), whole);
  await expect(textOf(refusing.endpoints)).rejects.toBeInstanceOf(InvalidRequestError);
  expect(refusing.asked()).toEqual([1, 0]);
  const another = saying(words.length, () => {}, 10n);
  const changed = await serveAll(saying(2, down), another);
  await expect(textOf(changed.endpoints)).rejects.toBeInstanceOf(AnswerChangedError);
});

test("a call with one message goes round in the same way", async () => {
  const { endpoints } = await serveAll(whole, whole);
  const asked: string[] = [];
  const attempt = async (service: Endpoint["service"]) => {
    const { address } = endpoints.find((endpoint) => endpoint.service === service)!;
    asked.push(address);
    if (address !== endpoints[1]!.address) {
      throw Object.assign(new Error("away"), { code: status.UNAVAILABLE, details: "away" });
    }
    return "found";
  };
  expect(await askInTurn(endpoints, attempt, { deadlineMs: 60_000 })).toBe("found");
  expect(asked).toEqual(endpoints.map(({ address }) => address));
  const first = askInTurn(endpoints.slice(0, 1), attempt, { deadlineMs: 60_000 });
  await expect(first).rejects.toBeInstanceOf(UnavailableError);
});

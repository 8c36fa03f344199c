import { getEventListeners, once } from "node:events";
import { status } from "@grpc/grpc-js";
import { FinishReason } from "@octet/protocol";
import { toServiceError } from "@octet/protocol/grpc";
import { afterEach, expect, test } from "vitest";
import type { Retry } from "./call.ts";
import {
  CancelledError,
  ClientClosedError,
  DeadlineExceededError,
  InternalError,
  InvalidRequestError,
  NotFoundError,
  OverloadedError,
  UnavailableError,
  UnsupportedError,
} from "./errors.ts";
import { OctetClient, type OctetClientOptions } from "./octet-client.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { fail, type GenerateCall, serveScript } from "./testing/scripted-coordinator.ts";

const open: (AsyncDisposable | Disposable)[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) {
    if (Symbol.dispose in one) one[Symbol.dispose]();
    else await one[Symbol.asyncDispose]();
  }
});

type Script = Parameters<typeof serveScript>[0];

async function serve(script: Script, others?: Parameters<typeof serveScript>[1]) {
  const server = await serveScript(script, others);
  open.push(server);
  return server;
}

function connect(addresses: string | readonly string[], options: OctetClientOptions = {}) {
  const clock = new ManualClock();
  const client = new OctetClient(addresses, { clock, random: () => 0.5, ...options });
  open.push(client);
  return { client, clock };
}

function answer(call: GenerateCall): void {
  call.write({ event: { case: "started", value: { requestId: "r", model: "m", seed: 9n } } });
  call.write({ event: { case: "delta", value: { text: "Once ", tokenIds: [4] } } });
  call.write({ event: { case: "delta", value: { text: "upon", tokenIds: [5, 6] } } });
  call.write({ event: { case: "finished", value: { reason: FinishReason.STOP } } });
  call.end();
}

/** A port where nobody listens: it was somebody's a moment ago. */
async function deadAddress(): Promise<string> {
  const server = await serveScript(answer);
  await server[Symbol.asyncDispose]();
  return server.address;
}

test("an answer can be read event by event, as text, or whole; but once", async () => {
  const { address } = await serve(answer);
  const { client } = connect(address);
  const cases: string[] = [];
  for await (const event of client.generate({ text: "x" })) cases.push(event.case);
  expect(cases).toEqual(["started", "delta", "delta", "finished"]);
  expect(await client.generate({ text: "x" }).text()).toBe("Once upon");
  const reader = client.generate({ text: "x" });
  const { text, tokenIds, started, finished } = await reader.complete();
  expect({ text, tokenIds }).toEqual({ text: "Once upon", tokenIds: [4, 5, 6] });
  expect([started.seed, finished.reason]).toEqual([9n, FinishReason.STOP]);
  await expect(reader.text()).rejects.toThrow("read already");
});

test("an answer that was read to its end is not cancelled", async () => {
  const cancelled: boolean[] = [];
  const { address } = await serve((call) => {
    call.write({ event: { case: "started", value: { requestId: "r", model: "m", seed: 9n } } });
    call.write({ event: { case: "finished", value: { reason: FinishReason.STOP } } });
    setTimeout(() => {
      cancelled.push(call.cancelled); // a cancel has had time to come, if there was one
      call.end();
    }, 50);
  });
  const { client } = connect(address);
  for (let i = 0; i < 3; i++) await client.generate({ text: "x" }).text();
  await expect.poll(() => cancelled).toEqual([false, false, false]);
});

test("prompts of every kind and parameters reach the coordinator as they were given", async () => {
  const server = await serve(answer);
  const { client } = connect(server.address);
  const messages = [{ role: "user", content: "hello" }];
  await client.generate({ text: "Once", sampling: { temperature: 0 }, details: true }).text();
  await client.generate({ tokenIds: [1, 2], stop: { maxTokens: 3 } }).text();
  await client.generate({ messages, model: "m" }).text();
  const [first, second, third] = server.requests;
  expect(first!.input).toEqual({ case: "text", value: "Once" });
  expect(first).toMatchObject({ details: true, sampling: { temperature: 0 } });
  expect(second).toMatchObject({ input: { case: "tokens", value: { ids: [1, 2] } } });
  expect(second!.stop!.maxTokens).toBe(3);
  expect(third).toMatchObject({ model: "m", input: { case: "chat", value: { messages } } });
});

test.each([
  [status.INVALID_ARGUMENT, InvalidRequestError],
  [status.OUT_OF_RANGE, InvalidRequestError],
  [status.FAILED_PRECONDITION, InvalidRequestError],
  [status.NOT_FOUND, NotFoundError],
  [status.RESOURCE_EXHAUSTED, OverloadedError],
  [status.DEADLINE_EXCEEDED, DeadlineExceededError],
  [status.CANCELLED, CancelledError],
  [status.UNIMPLEMENTED, UnsupportedError],
  [status.INTERNAL, InternalError],
  [status.UNKNOWN, InternalError],
])("status %i is an error of its class, and is not asked again", async (code, kind) => {
  const server = await serve((call) => fail(call, code, "for a reason"));
  const { client, clock } = connect(server.address);
  const error = await client
    .generate({ text: "x" })
    .text()
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(kind);
  expect(error).toMatchObject({
    code: status[code],
    address: server.address,
    message: `${server.address}: for a reason`,
    name: kind.name,
  });
  expect(server.requests).toHaveLength(1);
  expect(clock.slept).toEqual([]);
});

test("an unavailable coordinator is asked again, with growing waits, and not for ever", async () => {
  const server = await serve((call) => fail(call, status.UNAVAILABLE, "loading"));
  const { client, clock } = connect(server.address, {
    retry: { attemptsMax: 5, delayMs: 100, delayMsMax: 300 },
  });
  await expect(client.generate({ text: "x" }).text()).rejects.toBeInstanceOf(UnavailableError);
  expect(server.requests).toHaveLength(5);
  expect(clock.slept).toEqual([50, 100, 150, 150]);
});

test("a call that would wait beyond its deadline fails with what it has", async () => {
  const server = await serve((call) => fail(call, status.UNAVAILABLE, "loading"));
  const { client, clock } = connect(server.address, { retry: { delayMs: 1_000 } });
  const answer = client.generate({ text: "x" }, { deadlineMs: 1_400 }).text();
  await expect(answer).rejects.toBeInstanceOf(UnavailableError);
  expect(clock.slept).toEqual([500]);
});

test("calls go on at the next address when one cannot be reached, and stay there", async () => {
  const second = await serve(answer);
  const retries: Retry[] = [];
  const first = await deadAddress();
  const onRetry = (retry: Retry) => void retries.push(retry);
  const { client, clock } = connect([first, second.address], { onRetry });
  expect(await client.generate({ text: "x" }).text()).toBe("Once upon");
  expect(await client.generate({ text: "x" }).text()).toBe("Once upon");
  expect(clock.slept).toEqual([]);
  expect(retries).toMatchObject([
    { address: second.address, waitMs: 0, error: { address: first } },
  ]);
});

test("a stream that breaks at one coordinator goes on at another", async () => {
  const first = await serve((call) => {
    call.write({ event: { case: "started", value: { requestId: "a", seed: 9n } } });
    call.write({ event: { case: "delta", value: { text: "On" } } });
    fail(call, status.UNAVAILABLE);
  });
  const second = await serve(answer);
  const { client } = connect([first.address, second.address]);
  expect(await client.generate({ text: "x" }).text()).toBe("Once upon");
  expect(second.requests[0]!.sampling!.seed).toBe(9n);
});

test("a coordinator that says nothing costs no more than the deadline", async () => {
  const { address } = await serve(() => {});
  const { client } = connect(address);
  const answer = client.generate({ text: "x" }, { deadlineMs: 50 }).text();
  await expect(answer).rejects.toBeInstanceOf(DeadlineExceededError);
});

/** A coordinator that begins an answer and waits; `cancelled` resolves when its client goes. */
async function serveWaiting() {
  const cancelled = Promise.withResolvers<void>();
  const server = await serve((call) => {
    call.on("cancelled", () => cancelled.resolve());
    call.write({ event: { case: "started", value: { requestId: "r" } } });
  });
  return { address: server.address, cancelled: cancelled.promise };
}

test("aborting ends the answer with the signal's reason, at the coordinator too", async () => {
  const { address, cancelled } = await serveWaiting();
  const { client } = connect(address);
  const abort = new AbortController();
  const reason = new Error("the user left");
  const read = async () => {
    for await (const _ of client.generate({ text: "x" }, { signal: abort.signal }))
      abort.abort(reason);
  };
  await expect(read()).rejects.toBe(reason);
  await cancelled;
});

test("a signal aborted before asks nothing; one aborted while waiting ends the wait", async () => {
  const server = await serve((call) => fail(call, status.UNAVAILABLE));
  const abort = new AbortController();
  const clock = new ManualClock();
  const { client } = connect(server.address, {
    clock: {
      nowMs: clock.nowMs,
      sleep: (ms, signal) => {
        abort.abort(new Error("enough"));
        return clock.sleep(ms, signal);
      },
    },
  });
  await expect(client.generate({ text: "x" }, { signal: abort.signal }).text()).rejects.toThrow(
    "enough",
  );
  expect(server.requests).toHaveLength(1);
  await expect(client.listModels({ signal: abort.signal })).rejects.toThrow("enough");
  expect(server.requests).toHaveLength(1);
});

test("leaving the loop cancels the answer at the coordinator", async () => {
  const { address, cancelled } = await serveWaiting();
  const { client } = connect(address);
  for await (const _ of client.generate({ text: "x" })) break;
  await cancelled;
});

test("closing ends what is under way, and refuses what comes after", async () => {
  const { address, cancelled } = await serveWaiting();
  const { client } = connect(address);
  const read = async () => {
    for await (const _ of client.generate({ text: "x" })) client.close();
  };
  await expect(read()).rejects.toBeInstanceOf(ClientClosedError);
  await cancelled;
  await expect(client.getModel()).rejects.toBeInstanceOf(ClientClosedError);
  client.close();
});

test("a stream without its last event is a fault, not an answer", async () => {
  const { address } = await serve((call) => {
    call.write({ event: { case: "started", value: { requestId: "r" } } });
    call.end();
  });
  const { client } = connect(address);
  await expect(client.generate({ text: "x" }).text()).rejects.toBeInstanceOf(InternalError);
});

test("unary calls are asked again like others", async () => {
  let asked = 0;
  const { address } = await serve(answer, {
    listModels: (_call, done) =>
      asked++ < 2
        ? done({ code: status.UNAVAILABLE, details: "no" })
        : done(null, { models: [{ name: "m" }] }),
  });
  const { client, clock } = connect(address);
  expect((await client.listModels()).map((model) => model.name)).toEqual(["m"]);
  expect(clock.slept).toEqual([100, 200]);
});

test("a client without an address is refused at once", () => {
  expect(() => new OctetClient([])).toThrow("at least one address");
});

test("a slow reader holds back its own coordinator's stream", async () => {
  const written = { count: 0 };
  const { address } = await serve(async (call) => {
    call.write({ event: { case: "started", value: { requestId: "r" } } });
    const text = "x".repeat(1 << 20);
    for (let i = 0; i < 64 && !call.cancelled; i++) {
      written.count++;
      if (!call.write({ event: { case: "delta", value: { text } } }))
        await once(call, "drain").catch(() => {});
    }
  });
  const { client } = connect(address);
  const reading = client.generate({ text: "x" })[Symbol.asyncIterator]();
  await reading.next();
  await client.listModels().catch(() => {});
  expect(written.count).toBeLessThan(64);
  await reading.return();
});

test("what the coordinator says of a failure is in the error", async () => {
  const failure = {
    reason: "context_length_exceeded",
    message: "too long",
    metadata: { limit: "256", found: "300" },
    violations: [{ field: "text", description: "too long" }],
  } as const;
  const server = await serve((call) => call.emit("error", toServiceError(failure)));
  const { client } = connect(server.address);
  const asking = client.generate({ text: "x" }).text();
  const error = await asking.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InvalidRequestError);
  expect(error).toMatchObject({
    reason: "context_length_exceeded",
    facts: failure.metadata,
    fieldViolations: failure.violations,
    retryAfterMs: undefined,
  });
});

test("an overloaded coordinator is asked again when it says, and not if it does not", async () => {
  let asked = 0;
  const overloaded = { reason: "overloaded", message: "full", retryAfterMs: 700 } as const;
  const { address } = await serve((call) => {
    if (asked++ < 2) call.emit("error", toServiceError(overloaded));
    else answer(call);
  });
  const { client, clock } = connect(address);
  expect(await client.generate({ text: "x" }).text()).toBe("Once upon");
  expect(clock.slept).toEqual([700 + 100, 700 + 200]);
});

test("a conversation is answered, and goes on where its stream broke", async () => {
  const seen: unknown[] = [];
  const { address } = await serve(answer, {
    chat: (call) => {
      seen.push([call.request.messages[0]!.content, call.request.sampling?.seed]);
      call.write({ event: { case: "started", value: { requestId: "r", seed: 3n } } });
      call.write({ event: { case: "delta", value: { text: seen.length > 1 ? "Hello" : "Hel" } } });
      if (seen.length === 1) return void call.emit("error", { code: status.UNAVAILABLE });
      call.write({ event: { case: "finished", value: { reason: FinishReason.STOP } } });
      call.end();
    },
  });
  const { client } = connect(address);
  const texts: string[] = [];
  for await (const event of client.chat({ messages: [{ role: "user", content: "hi" }] })) {
    if (event.case === "delta") texts.push(event.value.text);
  }
  expect(texts).toEqual(["Hel", "lo"]);
  expect(seen).toEqual([
    ["hi", undefined],
    ["hi", 3n],
  ]);
});

test("a watch goes on after its stream broke", async () => {
  let asked = 0;
  const { address } = await serve(answer, {
    watchClusterState: (call) => {
      call.write({ state: { model: `m${asked++}` } });
      call.emit("error", { code: status.UNAVAILABLE, details: "restarting" });
    },
    getClusterState: (_call, done) => done(null, { state: { model: "now" } }),
  });
  const { client } = connect(address);
  const models: string[] = [];
  for await (const { model } of client.watchClusterState()) {
    if (models.push(model) === 12) break;
  }
  expect(models).toEqual(Array.from({ length: 12 }, (_, i) => `m${i}`));
  expect((await client.getClusterState()).model).toBe("now");
});

test("a signal that outlives its calls keeps nothing of them", async () => {
  const { address } = await serve(answer);
  const { client } = connect(address);
  const { signal } = new AbortController();
  await client.generate({ text: "x" }, { signal }).text();
  await client.listModels({ signal }).catch(() => {});
  for await (const _ of client.generate({ text: "x" }, { signal })) break;
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

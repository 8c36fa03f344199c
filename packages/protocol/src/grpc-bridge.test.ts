import assert from "node:assert/strict";
import { randomFillSync } from "node:crypto";
import { Server, ServerCredentials, type ServiceError, status } from "@grpc/grpc-js";
import { messageBytesMax } from "@octet/core";
import { afterEach, expect, test } from "vitest";
import { addService, createClient, type Handlers } from "./grpc.ts";
import {
  ActivationDtypeCode,
  ExpertService,
  type ForwardResponse,
  serverOptions,
} from "./index.ts";

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
});

/** Answers every call with its own rows. */
const echo: Handlers<typeof ExpertService> = {
  forward: (stream) => {
    stream.on("data", ({ kind }) => {
      assert(kind.case === "call");
      const { callId, input } = kind.value;
      stream.write({ callId, result: { case: "output", value: input! } });
    });
    stream.on("end", () => stream.end());
  },
  describe: (_call, callback) => callback(null, { workerId: "echo", expertIds: [3, 4] }),
};

async function serve(handlers: Handlers<typeof ExpertService>) {
  const server = new Server(serverOptions);
  addService(server, ExpertService, handlers);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  const client = createClient(ExpertService, `127.0.0.1:${port}`);
  cleanUps.push(
    () => server.forceShutdown(),
    () => client.close(),
  );
  return client;
}

test("a unary call carries its messages", async () => {
  const client = await serve(echo);
  const found = await client.describe({}, { deadlineMs: 5_000 });
  expect(found.workerId).toBe("echo");
  expect(found.expertIds).toEqual([3, 4]);
});

test.each([
  ["8 KiB", 8 * 1024],
  ["over gRPC's own limit of 4 MiB", 5 * 1024 * 1024],
  ["the largest payload", messageBytesMax - 64 * 1024],
])("a stream carries %s both ways, unchanged", async (_what, bytes) => {
  const client = await serve(echo);
  const data = randomFillSync(new Uint8Array(bytes));
  const stream = client.forward();
  const answer = await new Promise<ForwardResponse>((resolve, reject) => {
    stream.on("data", resolve);
    stream.on("error", reject);
    const input = { dtype: ActivationDtypeCode.F32, rows: 1, width: bytes / 4, data };
    stream.write({ kind: { case: "call", value: { callId: 2n ** 63n, input } } });
  });
  stream.end();
  expect(answer.callId).toBe(2n ** 63n);
  expect(answer.result.case).toBe("output");
  const back = answer.result.case === "output" ? answer.result.value.data : new Uint8Array();
  expect(Buffer.compare(back, data)).toBe(0);
});

test("a message over the limit is refused by status, not by a crash", async () => {
  const client = await serve(echo);
  const stream = client.forward();
  const error = await new Promise<ServiceError>((resolve) => {
    stream.on("error", resolve);
    const data = new Uint8Array(messageBytesMax + 1);
    stream.write({ kind: { case: "call", value: { input: { data } } } });
  });
  expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
  expect((await client.describe({}, { deadlineMs: 5_000 })).workerId).toBe("echo");
});

test("a unary call ends at its deadline whatever the server does", async () => {
  const client = await serve({ ...echo, describe: () => {} });
  const call = client.describe({}, { deadlineMs: 50 });
  await expect(call).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
});

test("aborting a unary call cancels it at both ends", async () => {
  const abort = new AbortController();
  let cancelled: () => void;
  const seen = new Promise<void>((resolve) => (cancelled = resolve));
  const client = await serve({
    ...echo,
    describe: (call) => {
      call.on("cancelled", () => cancelled());
      abort.abort();
    },
  });
  const call = client.describe({}, { deadlineMs: 5_000, signal: abort.signal });
  await expect(call).rejects.toMatchObject({ code: status.CANCELLED });
  await seen;
});

test("a signal that was aborted before the call cancels it", async () => {
  const client = await serve(echo);
  const call = client.describe({}, { deadlineMs: 5_000, signal: AbortSignal.abort() });
  await expect(call).rejects.toMatchObject({ code: status.CANCELLED });
});

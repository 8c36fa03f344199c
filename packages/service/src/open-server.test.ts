import { createServer } from "node:net";
import {
  callLean,
  checkHealth,
  connectLean,
  ExpertService,
  leanUnaryMethod,
  pathOf,
} from "@octet/protocol";
import { createClient } from "@octet/protocol/grpc";
import { silentLogger } from "@octet/telemetry";
import { expect, test } from "vitest";
import { ConfigError, type OpenedServer, startOnServer } from "./index.ts";

const services = [ExpertService];
const bounds = { deadlineMs: 5_000 };

/** Starts on `listen`, doing nothing, and hands back what was opened. */
async function open(listen: string, allowPlaintext = false): Promise<OpenedServer> {
  let kept: OpenedServer | undefined;
  await startOnServer({ listen, services, allowPlaintext }, silentLogger, async (opened) => {
    kept = opened;
    return { stop: () => opened.close(0) };
  });
  return kept!;
}

test("an address that others can reach is refused unless plaintext is allowed", async () => {
  await expect(open("0.0.0.0:0")).rejects.toThrow(ConfigError);
  await expect(open("0.0.0.0:0")).rejects.toThrow("OCTET_ALLOW_PLAINTEXT=true");
  const opened = await open("0.0.0.0:0", true);
  await opened.close(0);
});

test("it lives at once and is ready when it says so", async () => {
  const { address, health, close } = await open("127.0.0.1:0");
  expect(address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
  expect(await checkHealth(address, "", bounds)).toBe(true);
  expect(await checkHealth(address, "readiness", bounds)).toBe(false);
  health.setReady(true);
  expect(await checkHealth(address, "readiness", bounds)).toBe(true);
  await close(0);
});

test("a port in use is a clear refusal", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as { port: number };
  await expect(open(`127.0.0.1:${port}`)).rejects.toThrow(/cannot listen on .*another process/);
  other.close();
});

test("nothing listens any more after a start that failed", async () => {
  let address = "";
  const started = startOnServer(
    { listen: "127.0.0.1:0", services, allowPlaintext: false },
    silentLogger,
    async (opened) => {
      address = opened.address;
      throw new Error("no shard");
    },
  );
  await expect(started).rejects.toThrow("no shard");
  await expect(checkHealth(address, "", bounds)).rejects.toThrow();
});

test("one port serves clients of ours and all others", async () => {
  const { address, plain, leanMethods, close } = await open("127.0.0.1:0");
  const { describe } = ExpertService.method;
  plain.serve(ExpertService, () => ({
    forward: (call) => call.end(),
    describe: (_call, callback) => callback(null, { workerId: "over grpc-js" }),
  }));
  leanMethods.set(
    pathOf(describe),
    leanUnaryMethod(describe, () => ({ workerId: "lean" })),
  );
  const lean = await connectLean(address, { signal: AbortSignal.timeout(5_000) });
  const other = createClient(ExpertService, address);
  const answers = [
    await callLean(lean!, describe, { request: {}, deadlineMs: 5_000 }),
    await other.describe({}, bounds),
  ];
  expect(answers.map(({ workerId }) => workerId)).toEqual(["lean", "over grpc-js"]);
  lean!.connection.destroy("done");
  other.close();
  await close(0);
});

test("closing waits for calls no longer than it was told, whoever makes them", async () => {
  const { address, plain, leanMethods, close } = await open("127.0.0.1:0");
  const { forward } = ExpertService.method;
  const path = pathOf(forward);
  plain.serve(ExpertService, () => ({
    forward: (call) => void call.sendMetadata(call.metadata), // and never another word
    describe: (_call, callback) => callback(null, {}),
  }));
  leanMethods.set(path, (stream) => {
    stream.accept();
    return { onMessage: () => {}, onClose: () => {} };
  });
  const lean = await connectLean(address, { signal: AbortSignal.timeout(5_000) });
  const leanAccepted = Promise.withResolvers<void>();
  const leanEnded = Promise.withResolvers<unknown>();
  lean!.connection.open(
    [
      [":method", "POST"],
      [":path", path],
      ["content-type", "application/grpc"],
    ],
    {
      onAccepted: leanAccepted.resolve,
      onMessage: () => {},
      onClose: leanEnded.resolve,
    },
  );
  const other = createClient(ExpertService, address).forward();
  const otherEnded = new Promise((resolve) => other.on("error", resolve));
  await Promise.all([
    leanAccepted.promise,
    new Promise((resolve) => other.on("metadata", resolve)),
  ]);
  const startedAtMs = performance.now();
  await close(200);
  const tookMs = performance.now() - startedAtMs;
  expect(tookMs).toBeGreaterThan(150);
  expect(tookMs).toBeLessThan(1_500);
  await Promise.all([leanEnded.promise, otherEnded]);
});

test("a port that no machine has is a clear refusal", async () => {
  await expect(open("127.0.0.1:99999")).rejects.toThrow(ConfigError);
});

// Workers that die, hang, restart or were never there: what a caller sees, and how soon.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import {
  type ConnectionTimes,
  createGrpcExpertClient,
  type GrpcExpertClient,
  type PlacedWorker,
  type WorkerState,
} from "@octet/cluster";
import { AffineExpertEngine, affineInput, affineModel } from "@octet/cluster/affine-expert-engine";
import { toExpertId } from "@octet/core";
import { silentLogger } from "@octet/telemetry";
import { afterEach, expect, test, vi } from "vitest";
import { openCuttableProxy } from "../network/cuttable-proxy.ts";
import { modelDigest, startWorker, type WorkerServer } from "./worker-server.ts";

// Starting a process takes seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const experts = [0, 1, 2, 3].map((id) => toExpertId(id, affineModel.numExperts));
const call = { layer: 1, expertId: experts[2]!, input: affineInput("f32", 2, 1) };
/** Refused by a worker as soon as it is read. */
const nan = { ...call.input, data: new Uint8Array(call.input.data).fill(0xff) };
const patient = { deadlineMs: 40_000 };

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function connect(
  placed: Partial<PlacedWorker> & { address: string },
  times: Partial<ConnectionTimes> = {},
): GrpcExpertClient {
  const client = createGrpcExpertClient({
    placement: [{ expertIds: experts, ...placed }],
    expected: { ...affineModel, weightDtype: "f32", modelDigest },
    log: silentLogger,
    times: { retryMaxMs: 200, ...times },
  });
  cleanUps.push(() => client.close());
  return client;
}

async function untilState(client: GrpcExpertClient, state: WorkerState): Promise<void> {
  const isThere = () => client.workers().every((worker) => worker.state === state);
  if (isThere()) return;
  await new Promise<void>((resolve) => {
    const stop = client.watchWorkers(() => {
      if (!isThere()) return;
      stop();
      resolve();
    });
  });
}

async function serve(
  engine: AffineExpertEngine,
  options: { port?: number; digest?: string; workerId?: string; isPlain?: boolean } = {},
): Promise<WorkerServer> {
  const worker = await startWorker(engine, { workerId: "affine-worker", ...options });
  cleanUps.push(() => worker.stop());
  return worker;
}

async function spawnWorker(port = 0): Promise<{ child: ChildProcess; address: string }> {
  const script = join(import.meta.dirname, "worker-process.ts");
  const child = spawn(process.execPath, [script, String(port)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  cleanUps.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  const [line] = await once(child.stdout!, "data");
  return { child, address: String(line).trim() };
}

function portOf(address: string): number {
  return Number(address.split(":")[1]);
}

async function timed<T>(run: Promise<T>): Promise<{ result: PromiseSettledResult<T>; ms: number }> {
  const startedAtMs = performance.now();
  const [result] = await Promise.allSettled([run]);
  return { result: result!, ms: performance.now() - startedAtMs };
}

for (const isPlain of [false, true]) {
  const over = isPlain ? "grpc-js" : "a lean connection";

  test(`calls to a worker whose device is lost are asked again until it is back, over ${over}`, async () => {
    const engine = new AffineExpertEngine("f32", experts);
    const { address } = await serve(engine, { isPlain });
    const client = connect({ address });
    const before = await client.forward(call, patient);
    engine.isDeviceLost = true;
    const begun = engine.callsBegun;
    const replies = [1, 2, 3].map(() => client.forward(call, patient));
    await expect.poll(() => engine.callsBegun - begun, { timeout: 30_000 }).toBeGreaterThan(8);
    expect(client.workers().map(({ state }) => state)).toEqual(["ready"]);
    engine.isDeviceLost = false;
    for (const { output } of await Promise.all(replies)) expect(output).toEqual(before.output);
  });

  test(`a worker whose device is not back in time fails its calls as device-lost, over ${over}`, async () => {
    const engine = new AffineExpertEngine("f32", experts);
    const { address } = await serve(engine, { isPlain });
    const client = connect({ address });
    await client.forward(call, patient);
    engine.isDeviceLost = true;
    await expect(client.forward(call, { deadlineMs: 1_000 })).rejects.toMatchObject({
      code: "device-lost",
      expertId: call.expertId,
      message: expect.stringContaining(`${address}: [device-lost] it is being opened again`),
    });
    const waiting = client.forward(call, patient);
    const begun = engine.callsBegun;
    await expect.poll(() => engine.callsBegun - begun, { timeout: 30_000 }).toBeGreaterThan(1);
    await client.close();
    await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
  });
}

test("a killed worker fails its calls at once, by name, and serves again when back", async () => {
  const { child, address } = await spawnWorker();
  const client = connect({ address }, { connectWaitMs: 40_000 });
  await client.forward(call, patient);
  child.kill("SIGSTOP"); // so that calls are under way
  const underWay = [client.forward(call, patient), client.forward(call, patient)];
  child.kill("SIGKILL");
  for (const { result, ms } of await Promise.all(underWay.map(timed))) {
    const reason = result.status === "rejected" ? result.reason : undefined;
    expect(reason).toMatchObject({ code: "unavailable", expertId: 2, layer: 1 });
    expect(reason.message).toContain("expert 2 on affine-worker, layer 1");
    expect(reason.message).toContain(address);
    expect(ms).toBeLessThan(2_000);
  }
  const waitsForItsReturn = client.forward(call, patient);
  await spawnWorker(portOf(address));
  expect((await waitsForItsReturn).workerId).toBe("affine-worker");
});

test("a stopped worker costs a call its deadline, and answers when it goes on", async () => {
  const { child, address } = await spawnWorker();
  const client = connect({ address });
  await client.forward(call, patient);
  child.kill("SIGSTOP");
  const { result, ms } = await timed(client.forward(call, { deadlineMs: 200 }));
  expect(result).toMatchObject({ status: "rejected", reason: { code: "deadline-exceeded" } });
  expect(ms).toBeLessThan(1_500);
  child.kill("SIGCONT");
  await client.forward(call, patient);
});

test("a worker that accepts connections and says nothing is down", async () => {
  const { child, address } = await spawnWorker();
  child.kill("SIGSTOP");
  const client = connect({ address }, { openTimeoutMs: 100, connectWaitMs: 300 });
  await untilState(client, "down");
  expect(client.workers()[0]!.lastError).toBe("no answer in 100 ms");
  child.kill("SIGCONT");
  await untilState(client, "ready");
  await client.forward(call, patient);
});

test("a call waits a little for a worker that is not there; later ones fail at once", async () => {
  const gone = await serve(new AffineExpertEngine("f32", experts));
  await gone.stop();
  const client = connect({ address: gone.address }, { connectWaitMs: 300 });
  const first = await timed(client.forward(call, patient));
  expect(first.result).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
  expect(first.ms).toBeGreaterThan(200);
  expect(first.ms).toBeLessThan(2_000);
  expect(client.workers()[0]).toMatchObject({ state: "down", address: gone.address });
  const second = await timed(client.forward(call, patient));
  expect(second.result).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
  expect(second.ms).toBeLessThan(100);
  const reason = second.result.status === "rejected" ? second.result.reason : undefined;
  expect(reason.message).toContain(`not connected to ${gone.address}: `);
  expect(reason.message).toContain("ECONNREFUSED");
});

test("a call whose time runs out before its worker is reached says that it is away", async () => {
  const gone = await serve(new AffineExpertEngine("f32", experts));
  await gone.stop();
  const client = connect({ address: gone.address });
  const { result, ms } = await timed(client.forward(call, { deadlineMs: 100 }));
  expect(result).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
  expect(ms).toBeLessThan(1_500);
});

test("a cut network fails what is under way, drops it at the worker, and is mended", async () => {
  const engine = new AffineExpertEngine("f32", experts);
  const worker = await serve(engine);
  const proxy = await openCuttableProxy(worker.address);
  cleanUps.push(() => proxy.close());
  const client = connect({ address: proxy.address });
  await untilState(client, "ready");
  const states: WorkerState[] = [];
  client.watchWorkers(([only]) => states.push(only!.state));
  engine.hold();
  const underWay = timed(client.forward(call, patient));
  await expect.poll(() => engine.callsBegun).toBe(1);
  const queued = timed(client.forward({ ...call, layer: 2 }, patient));
  await timed(client.forward({ ...call, input: nan }, patient)); // the worker has read both
  proxy.cut();
  for (const { result, ms } of await Promise.all([underWay, queued])) {
    expect(result).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
    expect(ms).toBeLessThan(2_000);
  }
  // Refused on the next connection, when the worker has long seen this one's end.
  await timed(client.forward({ ...call, input: nan }, patient));
  engine.release();
  await client.forward(call, patient);
  expect(engine.callsBegun).toBe(2);
  expect(states).toEqual(["connecting", "ready"]);
});

test("a worker that is draining answers what it has and is then away", async () => {
  const engine = new AffineExpertEngine("f32", experts);
  const worker = await serve(engine);
  const client = connect({ address: worker.address }, { connectWaitMs: 300 });
  engine.hold();
  const underWay = client.forward(call, patient);
  await expect.poll(() => engine.callsBegun).toBe(1);
  const drained = worker.service.drain(10_000);
  engine.release();
  await underWay;
  await drained;
  await untilState(client, "down");
  expect(client.workers()[0]!.lastError).toBe("worker affine-worker is shutting down");
});

test("the worker computes nothing for callers who gave up", async () => {
  const engine = new AffineExpertEngine("f32", experts);
  const { address } = await serve(engine);
  const client = connect({ address });
  engine.hold();
  const kept = client.forward(call, patient);
  await expect.poll(() => engine.callsBegun).toBe(1);
  const abort = new AbortController();
  const bounds = { ...patient, signal: abort.signal };
  const aborted = timed(client.forward({ ...call, layer: 0 }, bounds));
  const late = timed(client.forward({ ...call, layer: 2 }, { deadlineMs: 100 }));
  abort.abort();
  expect((await aborted).result).toMatchObject({ reason: { code: "cancelled" } });
  expect((await late).result).toMatchObject({ reason: { code: "deadline-exceeded" } });
  // Behind both cancels on the same stream: once it is refused, they have arrived.
  await timed(client.forward({ ...call, input: nan }, patient));
  engine.release();
  await kept;
  await client.forward(call, patient);
  expect(engine.callsBegun).toBe(2);
});

test.each<[string, object, { digest?: string; workerId?: string }, RegExp]>([
  ["of another model", {}, { digest: "other" }, /expected model digest affine, found other/],
  ["with another name", { workerId: "b" }, {}, /expected worker b, found affine-worker/],
])(
  "a worker %s is refused until the right one takes its place",
  async (_what, placed, found, why) => {
    const right = { digest: modelDigest, workerId: "b" };
    const wrong = await serve(new AffineExpertEngine("f32", experts), found);
    const client = connect({ address: wrong.address, ...placed });
    const { result, ms } = await timed(client.forward(call, patient));
    expect(result).toMatchObject({ status: "rejected", reason: { code: "not-held" } });
    expect(ms).toBeLessThan(1_500);
    expect(client.workers()[0]).toMatchObject({
      state: "down",
      lastError: expect.stringMatching(why),
    });
    await wrong.stop();
    await serve(new AffineExpertEngine("f32", experts), { ...right, port: portOf(wrong.address) });
    await untilState(client, "ready");
    await client.forward(call, patient);
  },
);

test("a worker of another dtype, or without an expert placed on it, is refused", async () => {
  const wrong = await serve(new AffineExpertEngine("q8", experts.slice(0, 2)));
  const client = connect({ address: wrong.address });
  await untilState(client, "down");
  expect(client.workers()[0]!.lastError).toBe(
    "expected weight dtype f32, found q8; expected experts 0, 1, 2, 3, found 0, 1",
  );
});

test("a worker's status carries what it said of itself", async () => {
  const { address } = await serve(new AffineExpertEngine("f32", experts));
  const client = connect({ address });
  await untilState(client, "ready");
  expect(client.workers()).toEqual([
    {
      address,
      expertIds: experts,
      workerId: "affine-worker",
      state: "ready",
      lastError: undefined,
      description: {
        workerId: "affine-worker",
        startId: expect.stringContaining("affine-worker"),
        expertIds: experts,
        engineKind: "reference",
        device: "affine",
        weightBytes: 0,
        residentBytes: expect.any(Number),
      },
    },
  ]);
});

test("a placement must hold every expert exactly once", () => {
  const create = (...placement: PlacedWorker[]) =>
    createGrpcExpertClient({
      placement,
      expected: { ...affineModel, weightDtype: "f32", modelDigest },
      log: silentLogger,
    });
  const [a, b] = ["127.0.0.1:1", "127.0.0.1:2"] as const;
  expect(() => create({ address: a, expertIds: experts.slice(1, 3) })).toThrow("expert 0, 3 of 4");
  expect(() =>
    create({ address: a, expertIds: experts }, { address: b, expertIds: experts.slice(3) }),
  ).toThrow("expert 3 is at 127.0.0.1:1 and at 127.0.0.1:2");
  expect(() => create({ address: a, expertIds: [...experts, toExpertId(4, 5)] })).toThrow(
    "127.0.0.1:1: expert 4 of 4",
  );
});

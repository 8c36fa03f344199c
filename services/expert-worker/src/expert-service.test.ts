import {
  type ChannelOptions,
  Server,
  ServerCredentials,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import type { ExpertId } from "@octet/core";
import { type ExpertCall, type ExpertEngine, KernelError } from "@octet/kernels";
import {
  ActivationDtypeCode,
  type ActivationRowsMessage,
  CallFailureCode,
  ExpertService,
  type ForwardResponse,
  serverOptions,
} from "@octet/protocol";
import * as grpc from "@octet/protocol/grpc";
import { silentLogger } from "@octet/telemetry";
import { afterEach, expect, test } from "vitest";
import { createExpertService, type ExpertServiceOptions } from "./expert-service.ts";

const width = 4;
const poison = 666;

/** Doubles every element; holds each call until told; refuses the number 666 as non-finite. */
class HeldEngine implements ExpertEngine {
  readonly kind = "reference";
  readonly weightDtype = "f32";
  readonly expertIds = [1, 2] as ExpertId[];
  readonly device = "test";
  readonly weightBytes = 7;
  readonly model = {
    hiddenSize: width,
    intermediateSize: 8,
    numLayers: 3,
    numExperts: 4,
  } as ExpertEngine["model"];
  readonly calls: ExpertCall[] = [];
  #isHeld = false;
  #release = Promise.withResolvers<void>();

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.#release.resolve();
    this.#release = Promise.withResolvers();
  }

  async forward(call: ExpertCall) {
    this.calls.push(call);
    if (this.#isHeld) await this.#release.promise;
    const values = floats(call.input.data);
    if (values.includes(poison)) throw new KernelError("non-finite", "found NaN");
    return { ...call.input, data: bytesOf(values.map((value) => value * 2)) };
  }

  async close() {}
}

function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer);
}

function bytesOf(values: ArrayLike<number>): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
});

async function serve(options: Partial<ExpertServiceOptions> = {}, channel: ChannelOptions = {}) {
  const engine = new HeldEngine();
  const service = createExpertService({
    engine,
    workerId: "expert-1",
    startId: "first",
    modelDigest: "abc",
    log: silentLogger,
    ...options,
  });
  const server = new Server(serverOptions);
  grpc.addService(server, ExpertService, service.makeHandlers(grpc));
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  const client = grpc.createClient(ExpertService, `127.0.0.1:${port}`, { channel });
  cleanUps.push(
    () => server.forceShutdown(),
    () => client.close(),
  );
  return { engine, service, client, connect: () => new Coordinator(client.forward()) };
}

type ForwardCall = ReturnType<
  ReturnType<typeof grpc.createClient<typeof ExpertService>>["forward"]
>;
type CallFields = {
  callId?: bigint;
  layer?: number;
  expertId?: number;
  timeoutMs?: number;
  input?: Partial<Omit<ActivationRowsMessage, "$typeName" | "$unknown">> | undefined;
};

/** One stream, and everything that came back on it. */
class Coordinator {
  readonly stream: ForwardCall;
  readonly #responses: ForwardResponse[] = [];
  readonly #waiting: ((response: ForwardResponse) => void)[] = [];
  readonly ended: Promise<{ code: status; details: string }>;

  constructor(stream: ForwardCall) {
    this.stream = stream;
    stream.on("data", (response) => {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#responses.push(response);
      else waiting(response);
    });
    stream.on("error", (_error: ServiceError) => {}); // `ended` says the same
    this.ended = new Promise((resolve) => stream.on("status", resolve));
  }

  call(values: readonly number[], fields: CallFields = {}): void {
    const shape = { dtype: ActivationDtypeCode.F32, rows: values.length / width, width };
    const input = { ...shape, data: bytesOf(values) };
    const value = { callId: 1n, layer: 0, expertId: 1, timeoutMs: 10_000, input, ...fields };
    this.stream.write({ kind: { case: "call", value: value as never } });
  }

  cancel(...callIds: bigint[]): void {
    this.stream.write({ kind: { case: "cancel", value: { callIds } } });
  }

  next(): Promise<ForwardResponse> {
    const first = this.#responses.shift();
    if (first !== undefined) return Promise.resolve(first);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

const row = [1, 2, 3, 4];

function valuesOf({ result }: ForwardResponse): number[] {
  return result.case === "output" ? [...floats(result.value.data)] : [];
}

function failureOf({ result }: ForwardResponse): CallFailureCode | undefined {
  return result.case === "failure" ? result.value.code : undefined;
}

/** Waits until everything sent before on this stream has been received. */
async function flushed(coordinator: Coordinator): Promise<void> {
  coordinator.call(row, { callId: 999n, expertId: 3 });
  const response = await coordinator.next();
  expect(response.callId).toBe(999n);
}

test("a call is answered under its id with the engine's rows and its times", async () => {
  const { connect } = await serve();
  const coordinator = connect();
  coordinator.call([...row, 5, 6, 7, 8], { callId: 42n });
  const response = await coordinator.next();
  expect(response.callId).toBe(42n);
  expect(valuesOf(response)).toEqual([2, 4, 6, 8, 10, 12, 14, 16]);
  expect(response.timings?.queuedUs).toBeTypeOf("bigint");
});

test("calls that wait for the same expert of a layer are computed together", async () => {
  const { engine, connect } = await serve();
  const [a, b] = [connect(), connect()];
  engine.hold();
  a.call(row, { callId: 1n });
  await expect.poll(() => engine.calls.length).toBe(1);
  a.call(row, { callId: 2n, layer: 1 });
  a.call([9, 9, 9, 9], { callId: 3n, expertId: 2 });
  await flushed(a);
  b.call([5, 6, 7, 8, 1, 1, 1, 1], { callId: 2n, layer: 1 });
  await flushed(b);
  engine.release();
  const ofA = [await a.next(), await a.next(), await a.next()];
  expect(ofA.map((r) => [r.callId, valuesOf(r)])).toEqual([
    [1n, [2, 4, 6, 8]],
    [2n, [2, 4, 6, 8]],
    [3n, [18, 18, 18, 18]],
  ]);
  expect(valuesOf(await b.next())).toEqual([10, 12, 14, 16, 2, 2, 2, 2]);
  expect(engine.calls.map((call) => [call.layer, call.expertId, call.input.rows])).toEqual([
    [0, 1, 1],
    [1, 1, 3],
    [0, 2, 1],
  ]);
});

test("a call that poisons its batch fails alone", async () => {
  const { engine, connect } = await serve();
  const coordinator = connect();
  engine.hold();
  coordinator.call(row, { callId: 1n });
  await expect.poll(() => engine.calls.length).toBe(1);
  coordinator.call(row, { callId: 2n });
  coordinator.call([poison, 0, 0, 0], { callId: 3n });
  coordinator.call(row, { callId: 4n });
  await flushed(coordinator);
  engine.release();
  const answers = [];
  for (let i = 0; i < 4; i++) answers.push(await coordinator.next());
  expect(answers.map((r) => [r.callId, failureOf(r)])).toEqual([
    [1n, undefined],
    [2n, undefined],
    [3n, CallFailureCode.NON_FINITE],
    [4n, undefined],
  ]);
});

const badShape = CallFailureCode.BAD_SHAPE;
test.each<[string, CallFields, CallFailureCode]>([
  ["no input", { input: undefined }, badShape],
  ["an unknown dtype", { input: { dtype: 77 as ActivationDtypeCode } }, badShape],
  ["another dtype than dispatch's", { input: { dtype: ActivationDtypeCode.BF16 } }, badShape],
  ["no rows", { input: { rows: 0, data: new Uint8Array() } }, badShape],
  ["more rows than its bytes", { input: { rows: 2 } }, badShape],
  ["2^32 - 1 rows", { input: { rows: 0xffff_ffff } }, badShape],
  ["more rows than the limit", { input: { rows: 6, data: new Uint8Array(96) } }, badShape],
  ["another width", { input: { width: 8 } }, badShape],
  ["no time", { timeoutMs: 0 }, badShape],
  ["NaN", { input: { data: bytesOf([1, Number.NaN, 3, 4]) } }, CallFailureCode.NON_FINITE],
  ["infinity", { input: { data: bytesOf([1, 2, 3, -1 / 0]) } }, CallFailureCode.NON_FINITE],
  ["an expert that is elsewhere", { expertId: 3 }, CallFailureCode.NOT_HELD],
  ["an expert of no model", { expertId: 0xffff_ffff }, CallFailureCode.NOT_HELD],
  ["a layer of no model", { layer: 3 }, CallFailureCode.NOT_HELD],
])("a call with %s is refused and the stream goes on", async (_what, fields, code) => {
  const { connect } = await serve({ rowsPerCallMax: 5 });
  const coordinator = connect();
  const input = { dtype: ActivationDtypeCode.F32, rows: 1, width, data: bytesOf(row) };
  const changed = fields.input === undefined ? fields : { input: { ...input, ...fields.input } };
  coordinator.call(row, { ...fields, ...changed, callId: 5n });
  const refused = await coordinator.next();
  expect([refused.callId, failureOf(refused)]).toEqual([5n, code]);
  coordinator.call(row, { callId: 5n });
  expect(valuesOf(await coordinator.next())).toEqual([2, 4, 6, 8]);
});

test("a call id in use is refused, and the call that uses it is answered", async () => {
  const { engine, connect } = await serve();
  const coordinator = connect();
  engine.hold();
  coordinator.call(row, { callId: 1n });
  coordinator.call(row, { callId: 1n });
  expect(failureOf(await coordinator.next())).toBe(CallFailureCode.OVERLOADED);
  engine.release();
  expect(valuesOf(await coordinator.next())).toEqual([2, 4, 6, 8]);
});

test("calls beyond the limit in flight are refused until others are answered", async () => {
  const { engine, connect } = await serve({ callsInFlightMax: 2 });
  const coordinator = connect();
  engine.hold();
  for (const callId of [1n, 2n, 3n]) coordinator.call(row, { callId });
  const refused = await coordinator.next();
  expect([refused.callId, failureOf(refused)]).toEqual([3n, CallFailureCode.OVERLOADED]);
  engine.release();
  await coordinator.next();
  await coordinator.next();
  coordinator.call(row, { callId: 4n });
  expect(valuesOf(await coordinator.next())).toEqual([2, 4, 6, 8]);
});

test("a call whose time runs out in the queue is not computed", async () => {
  let nowMs = 0;
  const { engine, connect } = await serve({ nowMs: () => nowMs });
  const coordinator = connect();
  engine.hold();
  coordinator.call(row, { callId: 1n, timeoutMs: 10 });
  await expect.poll(() => engine.calls.length).toBe(1);
  coordinator.call(row, { callId: 2n, timeoutMs: 10 });
  coordinator.call(row, { callId: 3n, timeoutMs: 100 });
  await flushed(coordinator);
  nowMs = 10;
  engine.release();
  const answers = [await coordinator.next(), await coordinator.next(), await coordinator.next()];
  expect(answers.map((r) => [r.callId, failureOf(r)])).toEqual([
    [1n, undefined],
    [2n, CallFailureCode.DEADLINE_EXCEEDED],
    [3n, undefined],
  ]);
  expect(answers.map((r) => r.timings?.queuedUs)).toEqual([0n, 10_000n, 10_000n]);
  expect(answers[0]!.timings?.computedUs).toBe(10_000n);
  expect(engine.calls).toHaveLength(2);
});

test("a cancelled call gets no answer, and its id may be used again at once", async () => {
  const { engine, connect } = await serve();
  const coordinator = connect();
  engine.hold();
  coordinator.call(row, { callId: 1n });
  await expect.poll(() => engine.calls.length).toBe(1);
  coordinator.call(row, { callId: 2n });
  coordinator.cancel(2n, 1n, 77n);
  coordinator.call([5, 5, 5, 5], { callId: 1n });
  await flushed(coordinator);
  engine.release();
  const only = await coordinator.next();
  expect([only.callId, valuesOf(only)]).toEqual([1n, [10, 10, 10, 10]]);
  expect(engine.calls).toHaveLength(2);
  await flushed(coordinator);
});

test("a stream that is cut takes its waiting calls with it", async () => {
  const { engine, connect } = await serve();
  const [cut, other] = [connect(), connect()];
  engine.hold();
  cut.call(row, { callId: 1n });
  await expect.poll(() => engine.calls.length).toBe(1);
  cut.call(row, { callId: 2n, layer: 1 });
  await flushed(cut);
  cut.stream.cancel();
  await cut.ended;
  other.call(row, { callId: 1n, layer: 2 });
  await flushed(other);
  engine.release();
  expect(valuesOf(await other.next())).toEqual([2, 4, 6, 8]);
  expect(engine.calls.map((call) => call.layer)).toEqual([0, 2]);
});

test("a caller that asks nothing more still gets its answers, then the end", async () => {
  const { engine, connect } = await serve();
  const coordinator = connect();
  engine.hold();
  coordinator.call(row);
  coordinator.stream.end();
  await expect.poll(() => engine.calls.length).toBe(1);
  engine.release();
  expect(valuesOf(await coordinator.next())).toEqual([2, 4, 6, 8]);
  expect((await coordinator.ended).code).toBe(status.OK);
});

test("a request that is neither call nor cancel ends its stream and no other", async () => {
  const { connect } = await serve();
  const [bad, good] = [connect(), connect()];
  bad.stream.write({});
  expect(await bad.ended).toMatchObject({ code: status.INVALID_ARGUMENT });
  good.call(row);
  expect(valuesOf(await good.next())).toEqual([2, 4, 6, 8]);
});

test("a reader that lags stops the worker from reading, and loses nothing", async () => {
  const { engine, client } = await serve({}, { "grpc-node.flow_control_window": 65_535 });
  const coordinator = new Coordinator(client.forward());
  const data = bytesOf(new Float32Array(width * 1024).fill(1));
  coordinator.stream.pause();
  for (let i = 0n; i < 500n; i++) {
    const input = { dtype: ActivationDtypeCode.F32, rows: 1024, width, data };
    coordinator.call(row, { callId: i, input });
  }
  const rowsComputed = () => engine.calls.reduce((sum, call) => sum + call.input.rows, 0);
  await expect.poll(rowsComputed).toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, 300)); // long enough for all, were it to read
  expect(rowsComputed()).toBeLessThan(250 * 1024);
  coordinator.stream.resume();
  const found = new Set<bigint>();
  for (let i = 0; i < 500; i++) {
    const response = await coordinator.next();
    expect(failureOf(response)).toBeUndefined();
    found.add(response.callId);
  }
  expect(found.size).toBe(500);
});

test("an engine that breaks in an unknown way fails the call as internal", async () => {
  const { engine, connect } = await serve();
  const coordinator = connect();
  engine.forward = async () => ({ dtype: "f32", rows: 1, width, data: new Uint8Array(3) });
  coordinator.call(row);
  expect(failureOf(await coordinator.next())).toBe(CallFailureCode.INTERNAL);
});

test("draining answers what is under way, then ends streams and refuses new ones", async () => {
  const { engine, service, client, connect } = await serve();
  const coordinator = connect();
  engine.hold();
  coordinator.call(row);
  await expect.poll(() => engine.calls.length).toBe(1);
  const drained = service.drain(10_000);
  engine.release();
  expect(valuesOf(await coordinator.next())).toEqual([2, 4, 6, 8]);
  await drained;
  const expected = { code: status.UNAVAILABLE, details: "worker expert-1 is shutting down" };
  expect(await coordinator.ended).toMatchObject(expected);
  expect(await new Coordinator(client.forward()).ended).toMatchObject(expected);
});

test("draining ends at its limit even while a call is under way", async () => {
  const { engine, service, connect } = await serve();
  const coordinator = connect();
  engine.hold();
  coordinator.call(row);
  await expect.poll(() => engine.calls.length).toBe(1);
  await service.drain(50);
  expect((await coordinator.ended).code).toBe(status.UNAVAILABLE);
  engine.release();
});

test("describe says what is held and by whom", async () => {
  const { client } = await serve();
  const found = await client.describe({}, { deadlineMs: 5_000 });
  expect(found).toMatchObject({
    workerId: "expert-1",
    startId: "first",
    expertIds: [1, 2],
    numLayers: 3,
    numExperts: 4,
    hiddenSize: width,
    intermediateSize: 8,
    weightDtype: "f32",
    engineKind: "reference",
    device: "test",
    weightBytes: 7n,
    modelDigest: "abc",
  });
  expect(found.residentBytes).toBeGreaterThan(1_000_000n);
});

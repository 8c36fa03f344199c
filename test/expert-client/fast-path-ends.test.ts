// However a worker, an engine or a client ends while sockets are lent, the ends hear what they
// would hear without the fast path.
import { readdir } from "node:fs/promises";
import type { WeightDtype } from "@octet/core";
import { toActivationRowsMessage } from "@octet/protocol";
import { expect, test, vi } from "vitest";
import { seededRandom, wholeBetween } from "../faults/seeded-random.ts";
import { RawCoordinator } from "./raw-coordinator.ts";
import { randomRows, writeTinyExperts } from "./tiny-experts.ts";
import { startWorker } from "./worker-server.ts";

const oneRow = randomRows(seededRandom(1), "f32", 1);
const input = toActivationRowsMessage(oneRow);
const shutDown = "worker%20expert-1%20is%20shutting%20down";

/** A worker, and what it has computed in answer to JavaScript. */
async function start(useFastPath = true, weightDtype: WeightDtype = "f32") {
  await using owned = new AsyncDisposableStack();
  const experts = owned.use(await writeTinyExperts(weightDtype));
  const engine = await experts.open();
  const forwards = vi.spyOn(engine, "forward");
  const worker = await startWorker(engine, { workerId: "expert-1", useFastPath });
  owned.defer(() => worker.stop());
  const kept = owned.move();
  return { ...worker, engine, forwards, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** A coordinator whose socket is lent, where sockets are. */
async function openLent(address: string, numCalls = 4): Promise<RawCoordinator> {
  const coordinator = await RawCoordinator.open(address, { windowBytes: 2 ** 20 });
  for (let callId = 0n; callId < numCalls; callId++) {
    await coordinator.call({ callId, input });
    await coordinator.answerTo(callId);
  }
  return coordinator;
}

test.each([true, false])("a worker that drains ends streams that are silent: %s", async (fast) => {
  await using worker = await start(fast);
  using coordinator = await openLent(worker.address);
  expect(worker.forwards.mock.calls.length).toBe(fast ? 1 : 4);
  await worker.service.drain(600_000); // it does not take so long
  await coordinator.until(() => coordinator.ends.length === 2);
  expect(coordinator.ends).toEqual([expect.stringContaining(shutDown), "reset 0"]);
  expect(coordinator.ends[0]).toContain("grpc-status\x0214");
});

test.each([true, false])("a worker that drains answers what still comes: %s", async (fast) => {
  await using worker = await start(fast);
  using coordinator = await openLent(worker.address);
  const calls = Array.from({ length: 50 }, (_, i) => ({ callId: BigInt(100 + i), input }));
  await coordinator.call(...calls.slice(0, 25));
  const drained = worker.service.drain(10_000);
  await coordinator.call(...calls.slice(25));
  for (const { callId } of calls) await coordinator.answerTo(callId);
  await coordinator.call({ callId: 200n, input });
  await coordinator.answerTo(200n);
  await drained;
  await coordinator.until(() => coordinator.ends.length > 0);
  expect(coordinator.ends[0]).toContain(shutDown);
  for (const [callId, all] of coordinator.answers) expect(all.length, `${callId}`).toBe(1);
});

test("calls made while a worker drains are answered in JavaScript alone", async () => {
  await using worker = await start();
  using coordinator = await openLent(worker.address);
  const drained = worker.service.drain(10_000);
  await coordinator.untilHeard(); // and so the socket is back
  const before = worker.forwards.mock.calls.length;
  for (let callId = 10n; callId < 20n; callId++) {
    await coordinator.call({ callId, input });
    await coordinator.answerTo(callId);
  }
  expect(worker.forwards.mock.calls.length).toBe(before + 10);
  await drained;
});

test.each([true, false])("an engine that is closed fails calls, not streams: %s", async (fast) => {
  await using worker = await start(fast);
  using first = await openLent(worker.address);
  using second = await openLent(worker.address);
  await worker.engine.close();
  for (const coordinator of [first, second]) {
    for (const callId of [50n, 51n]) {
      await coordinator.call({ callId, input });
      expect((await coordinator.answerTo(callId)).result).toMatchObject({
        case: "failure",
        value: { message: expect.stringContaining("the expert engine was closed") },
      });
    }
    expect(coordinator.ends).toEqual([]);
  }
});

test("an engine that is closed within an answer ends the connection, and sends no half of it", async () => {
  await using worker = await start(true, "q8"); // whose answers are longer than its calls
  using coordinator = await RawCoordinator.open(worker.address, { windowBytes: 2 ** 30 });
  const rows = toActivationRowsMessage(randomRows(seededRandom(2), "q8", 64));
  await coordinator.call({ callId: 0n, input: rows });
  await coordinator.answerTo(0n);
  coordinator.socket.pause(); // until nothing more fits between the two
  const numCalls = 1_700n; // that the worker's window has room for
  for (let callId = 1n; callId < numCalls; callId++)
    await coordinator.call({ callId, input: rows });
  await untilQuiet(() => worker.engine.fastPath!.takeAnswered().length > 0);
  await worker.engine.close();
  coordinator.socket.resume();
  await coordinator.untilHeard();
  expect(coordinator.isClosed).toBe(true);
  expect(coordinator.violation).toBeUndefined();
});

/** Resolves when nothing has happened for a while. */
async function untilQuiet(hasHappened: () => boolean): Promise<void> {
  for (let numQuiet = 0; numQuiet < 10; ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    numQuiet = hasHappened() ? 0 : numQuiet + 1;
  }
}

test("clients that are killed with calls under way leave the others alone, and nothing open", async () => {
  await using worker = await start();
  using other = await openLent(worker.address);
  const numOpen = await countOpenFiles();
  const random = seededRandom(3);
  for (let round = 0; round < 40; round++) {
    using killed = await openLent(worker.address, 2);
    const rows = toActivationRowsMessage(randomRows(random, "f32", wholeBetween(random, 1, 60)));
    const calls = Array.from({ length: 8 }, (_, i) => ({ callId: BigInt(10 + i), input: rows }));
    await killed.call(...calls);
    const callId = BigInt(100 + round);
    await other.call({ callId, input });
    if (round % 2 === 0) killed.socket.resetAndDestroy();
    else killed.socket.destroy();
    expect((await other.answerTo(callId)).result).toEqual((await other.answerTo(0n)).result);
  }
  await expect.poll(countOpenFiles).toBeLessThanOrEqual(numOpen);
});

/** Of this process, which is both the worker and its clients. */
async function countOpenFiles(): Promise<number> {
  return (await readdir("/dev/fd")).length;
}

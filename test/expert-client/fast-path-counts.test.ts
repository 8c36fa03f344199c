// What the fast path answers is counted like all else, and before its client can ask.
import { toActivationRowsMessage } from "@octet/protocol";
import { createMetrics } from "@octet/telemetry/metrics";
import { expect, test, vi } from "vitest";
import { createCallObserver } from "../../services/expert-worker/src/worker-metrics.ts";
import { seededRandom, wholeBetween } from "../faults/seeded-random.ts";
import { RawCoordinator } from "./raw-coordinator.ts";
import { randomRows, withNumber, writeTinyExperts } from "./tiny-experts.ts";
import { startWorker } from "./worker-server.ts";

/** A worker that counts as workers do. */
async function startCountingWorker() {
  await using owned = new AsyncDisposableStack();
  const experts = owned.use(await writeTinyExperts("bf16"));
  const engine = await experts.open();
  const spy = vi.spyOn(engine, "forward");
  const metrics = createMetrics();
  const observer = createCallObserver(metrics);
  const worker = await startWorker(engine, { workerId: "expert-1", observer });
  owned.defer(() => worker.stop());
  metrics.beforePrint(() => worker.service.countAnswered());
  const kept = owned.move();
  return {
    worker,
    engine,
    /** Rows that were computed in answer to JavaScript. */
    numSlowRows: () => spy.mock.calls.reduce((sum, [call]) => sum + call.input.rows, 0),
    /** Of all experts. */
    count: async (name: string) => {
      const lines = (await metrics.print()).split("\n");
      const values = lines.filter((line) => line.startsWith(`octet_${name}{`));
      return values.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

test("counts are exact after every answer, whoever gave it", async () => {
  await using counting = await startCountingWorker();
  const { worker, count } = counting;
  using coordinator = await RawCoordinator.open(worker.address);
  const random = seededRandom(7);
  let [numCalls, numRows, numFailures] = [0, 0, 0];
  for (let callId = 1n; callId <= 300n; callId++) {
    const rows = random() < 0.1 ? 65 : wholeBetween(random, 1, 64);
    const expertId = wholeBetween(random, 1, 2);
    const input = randomRows(random, "bf16", rows);
    const isRuined = random() < 0.1; // by its result
    const sent = toActivationRowsMessage(isRuined ? withNumber(input, 3e38) : input);
    await coordinator.call({ callId, expertId, input: sent });
    const { result } = await coordinator.answerTo(callId);
    expect(result.case).toBe(isRuined ? "failure" : "output");
    numCalls++;
    numRows += rows;
    numFailures += isRuined ? 1 : 0;
    expect(await count("worker_calls_total")).toBe(numCalls);
    expect(await count("worker_rows_total")).toBe(numRows);
  }
  expect(await count("worker_call_failures_total")).toBe(numFailures);
  expect(await count("worker_queue_seconds_count")).toBe(numCalls);
  expect(await count("worker_compute_seconds_count")).toBe(numCalls - numFailures);
  expect(counting.numSlowRows()).toBeLessThan(numRows / 2);
});

test("the answers' times are what is counted", async () => {
  await using counting = await startCountingWorker();
  using coordinator = await RawCoordinator.open(counting.worker.address);
  const input = toActivationRowsMessage(randomRows(seededRandom(1), "bf16", 3));
  let [queuedUs, computedUs] = [0, 0];
  for (let callId = 0n; callId < 50n; callId++) {
    await coordinator.call({ callId, input });
    const { timings } = await coordinator.answerTo(callId);
    queuedUs += Number(timings!.queuedUs);
    computedUs += Number(timings!.computedUs);
  }
  expect(counting.numSlowRows()).toBeLessThan(50);
  const roundedUs = 50; // one at most for each call
  const queuedS = await counting.count("worker_queue_seconds_sum");
  const computedS = await counting.count("worker_compute_seconds_sum");
  expect(Math.abs(queuedS * 1e6 - queuedUs)).toBeLessThanOrEqual(roundedUs);
  expect(Math.abs(computedS * 1e6 - computedUs)).toBeLessThanOrEqual(roundedUs);
});

test("what was answered before its client was killed is counted", async () => {
  await using counting = await startCountingWorker();
  const { worker, count } = counting;
  const input = toActivationRowsMessage(randomRows(seededRandom(1), "bf16", 1));
  for (let client = 1; client <= 3; client++) {
    using coordinator = await RawCoordinator.open(worker.address);
    for (let callId = 0n; callId < 10n; callId++) {
      await coordinator.call({ callId, input });
      await coordinator.answerTo(callId);
    }
    coordinator.socket.resetAndDestroy();
    expect(await count("worker_calls_total")).toBe(client * 10);
  }
});

test("what was answered is counted though nobody asks, when its client is gone", async () => {
  await using experts = await writeTinyExperts("bf16");
  let numCounted = 0;
  const observer = { onSettled: () => numCounted++ };
  const worker = await startWorker(await experts.open(), { workerId: "expert-1", observer });
  await using _stopped = { [Symbol.asyncDispose]: () => worker.stop() };
  using coordinator = await RawCoordinator.open(worker.address);
  const input = toActivationRowsMessage(randomRows(seededRandom(1), "bf16", 1));
  for (let callId = 0n; callId < 10n; callId++) {
    await coordinator.call({ callId, input });
    await coordinator.answerTo(callId);
  }
  expect(numCounted).toBe(1);
  coordinator.socket.resetAndDestroy();
  await expect.poll(() => numCounted).toBe(10);
});

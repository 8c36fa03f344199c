// Many calls on the fast path, until every window was used up and given back more than once.
import { type ActivationRows, activationRowBytes } from "@octet/core";
import { toActivationRowsMessage } from "@octet/protocol";
import { expect, test, vi } from "vitest";
import { seededRandom, wholeBetween } from "../faults/seeded-random.ts";
import { RawCoordinator } from "./raw-coordinator.ts";
import { randomRows, tinyExpertModel, writeTinyExperts } from "./tiny-experts.ts";
import { startWorker } from "./worker-server.ts";

/** Of a call: its answer is one frame, the longest that HTTP/2 lets us get unless we ask for more. */
const rows = 60;
/** Of a call, and of its answer but for its head. */
const callBytes = rows * activationRowBytes("f32", tinyExpertModel.hiddenSize);
/** Enough to give back half of a window of 8 MiB five times. */
const numCalls = Math.ceil((21 * 2 ** 20) / callBytes);

/** Calls that all have the same rows, several in flight; resolves when all are answered. */
async function callOften(coordinator: RawCoordinator, input: ActivationRows): Promise<void> {
  const random = seededRandom(input.data[0]!);
  for (let first = 0; first < numCalls; ) {
    const count = Math.min(wholeBetween(random, 1, 4), numCalls - first);
    const calls = Array.from({ length: count }, (_, i) => ({
      callId: BigInt(first + i),
      input: toActivationRowsMessage(input),
    }));
    await coordinator.call(...calls);
    for (const { callId } of calls) await coordinator.answerTo(callId);
    first += count;
  }
}

/** What every call must be answered with. */
function outputsOf({ answers }: RawCoordinator): Set<string> {
  const outputs = Array.from(answers.values(), ([answer]) =>
    answer!.result.case === "output" ? Buffer.from(answer!.result.value.data).toString("hex") : "",
  );
  return new Set(outputs);
}

test("two coordinators use up their windows at once, and each call is answered once", async () => {
  await using experts = await writeTinyExperts("f32");
  const engine = await experts.open();
  const spy = vi.spyOn(engine, "forward");
  const worker = await startWorker(engine, { workerId: "expert-1" });
  await using _stopped = { [Symbol.asyncDispose]: () => worker.stop() };
  using first = await RawCoordinator.open(worker.address, { windowBytes: 2 ** 20 });
  const waits = { windowBytes: 2 ** 20, givesBackAfterBytes: 2 ** 20 };
  using second = await RawCoordinator.open(worker.address, waits);
  const inputs = [1, 2].map((seed) => randomRows(seededRandom(seed), "f32", rows));
  await Promise.all([callOften(first, inputs[0]!), callOften(second, inputs[1]!)]);
  for (const [i, coordinator] of [first, second].entries()) {
    expect(coordinator.numWindowsGiven).toBeGreaterThanOrEqual(5);
    expect(coordinator.answers.size).toBe(numCalls);
    for (const [callId, all] of coordinator.answers) expect(all.length, `${callId}`).toBe(1);
    const { data } = await engine.forward({ layer: 0, expertId: 1 as never, input: inputs[i]! });
    expect(outputsOf(coordinator)).toEqual(new Set([Buffer.from(data).toString("hex")]));
    await coordinator.untilHeard();
    expect([coordinator.goaway, coordinator.violation]).toEqual([undefined, undefined]);
  }
  const computed = spy.mock.calls.reduce((sum, [call]) => sum + call.input.rows, 0);
  expect(computed).toBeLessThan(numCalls * rows); // of twice as many
});

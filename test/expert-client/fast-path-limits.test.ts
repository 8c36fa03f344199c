// What a worker does not take, it does not take on the fast path either.
import { CallFailureCode, toActivationRowsMessage } from "@octet/protocol";
import { expect, test } from "vitest";
import { seededRandom } from "../faults/seeded-random.ts";
import { RawCoordinator } from "./raw-coordinator.ts";
import { randomRows, writeTinyExperts } from "./tiny-experts.ts";
import { startWorker } from "./worker-server.ts";

test("a service that takes fewer rows than the fast path does refuses the others", async () => {
  await using experts = await writeTinyExperts("f32");
  const options = { workerId: "expert-1", rowsPerCallMax: 5 };
  const worker = await startWorker(await experts.open(), options);
  await using _stopped = { [Symbol.asyncDispose]: () => worker.stop() };
  using coordinator = await RawCoordinator.open(worker.address);
  for (const [callId, rows] of [5, 5, 6, 5, 64].entries()) {
    const input = toActivationRowsMessage(randomRows(seededRandom(1), "f32", rows));
    await coordinator.call({ callId: BigInt(callId), input });
    const { result } = await coordinator.answerTo(BigInt(callId));
    const found = result.case === "failure" ? result.value.code : result.case;
    expect(found).toBe(rows > 5 ? CallFailureCode.BAD_SHAPE : "output");
  }
});

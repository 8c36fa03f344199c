// Clients of other kinds than ours have their calls answered as ever: their sockets are not lent.
import { activationRowBytes } from "@octet/core";
import { ExpertService, type ForwardResponse, toActivationRowsMessage } from "@octet/protocol";
import * as grpc from "@octet/protocol/grpc";
import { expect, test, vi } from "vitest";
import { seededRandom } from "../faults/seeded-random.ts";
import { RawCoordinator } from "./raw-coordinator.ts";
import { randomRows, tinyExpertModel, writeTinyExperts } from "./tiny-experts.ts";
import { startWorker } from "./worker-server.ts";

test.each([true, false])(
  "a grpc-js client hears what ours hears: plain server %s",
  async (isPlain) => {
    await using experts = await writeTinyExperts("bf16");
    const engine = await experts.open();
    const forwards = vi.spyOn(engine, "forward");
    const worker = await startWorker(engine, { workerId: "expert-1", isPlain });
    await using _stopped = { [Symbol.asyncDispose]: () => worker.stop() };
    const client = grpc.createClient(ExpertService, worker.address);
    using _closed = { [Symbol.dispose]: () => client.close() };
    const stream = client.forward();
    stream.on("error", () => {}); // when the worker stops
    const answers: ForwardResponse[] = [];
    stream.on("data", (answer) => answers.push(answer));
    const input = toActivationRowsMessage(randomRows(seededRandom(1), "bf16", 3));
    for (let numAnswers = 1; numAnswers <= 10; numAnswers++) {
      const value = { callId: BigInt(numAnswers), layer: 0, expertId: 1, timeoutMs: 60_000, input };
      stream.write({ kind: { case: "call", value } });
      await expect.poll(() => answers.length).toBe(numAnswers);
      expect(forwards.mock.calls.length).toBe(numAnswers);
    }
    const { result } = answers[0]!;
    if (result.case !== "output") throw new Error(`expected an output, found ${result.case}`);
    const bytes = 3 * activationRowBytes("bf16", tinyExpertModel.hiddenSize);
    expect(result.value.data.length).toBe(bytes);
    for (const answer of answers) expect(answer.result).toEqual(result);
    if (isPlain) return;
    using ours = await RawCoordinator.open(worker.address);
    for (const callId of [1n, 2n, 3n]) {
      await ours.call({ callId, input });
      expect((await ours.answerTo(callId)).result).toEqual(result);
    }
    expect(forwards.mock.calls.length).toBe(11);
  },
);

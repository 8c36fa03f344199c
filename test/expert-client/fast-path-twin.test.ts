// To a client a worker with the fast path is the same as one without, but for its speed.
import { weightDtypes } from "@octet/core";
import { expect, test, vi } from "vitest";
import { talk } from "./random-dialogue.ts";
import { type TinyExperts, writeTinyExperts } from "./tiny-experts.ts";
import { startWorker } from "./worker-server.ts";

/** A worker, and how many rows it has computed in answer to JavaScript. */
async function startTwin(experts: TinyExperts, useFastPath: boolean) {
  const engine = await experts.open();
  const spy = vi.spyOn(engine, "forward");
  const worker = await startWorker(engine, { workerId: "expert-1", useFastPath });
  return {
    address: worker.address,
    numRows: () => spy.mock.calls.reduce((sum, [call]) => sum + call.input.rows, 0),
    [Symbol.asyncDispose]: () => worker.stop(),
  };
}

const cases = weightDtypes.flatMap((dtype) => [1, 2, 3].map((seed) => [dtype, seed] as const));

test.each(cases)("%s, seed %i: a client cannot tell who answers", async (weightDtype, seed) => {
  await using experts = await writeTinyExperts(weightDtype);
  await using fast = await startTwin(experts, true);
  await using plain = await startTwin(experts, false);
  const options = { weightDtype, seed, numTurns: 120 };
  const found = await talk(fast.address, options);
  const expected = await talk(plain.address, options);
  expect([found.violation, expected.violation]).toEqual([undefined, undefined]);
  expect(found.cancelled).toEqual(expected.cancelled);
  for (const id of new Set([...found.answers.keys(), ...expected.answers.keys()])) {
    const [of, ofTwin] = [found.answers.get(id) ?? [], expected.answers.get(id) ?? []];
    const isCancelled = found.cancelled.has(id);
    expect([of.length, ofTwin.length], `answers to call ${id}`).toEqual(
      isCancelled ? [expect.toBeOneOf([0, 1]), expect.toBeOneOf([0, 1])] : [1, 1],
    );
    if (of.length === ofTwin.length) expect(of).toEqual(ofTwin);
  }
  expect(found.pongs).toEqual(expected.pongs);
  expect(found.ends).toEqual(expected.ends);
  expect(found.goaway).toBe(expected.goaway);
  expect(found.isClosed).toBe(expected.isClosed);
  expect(fast.numRows()).toBeLessThan(plain.numRows());
});

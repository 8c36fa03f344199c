import assert from "node:assert/strict";
import fc from "fast-check";
import { expect, test } from "vitest";
import { retryAfterRangeMs } from "./admission-rate.ts";
import { FairShare } from "./fair-share.ts";
import { SimulatedSequence } from "./fixture/simulated-sequence.ts";
import { WaitQueue } from "./wait-queue.ts";

const sequence = fc.record({
  clientId: fc.constantFrom("a", "b", "c"),
  priority: fc.constantFrom(-1, 0, 0, 0, 1),
  isNew: fc.boolean(),
});
const charges = fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.nat({ max: 9 })));

function make(about: { clientId: string; priority: number; isNew: boolean }, id: number) {
  const made = new SimulatedSequence({
    ...about,
    id,
    promptTokens: 1,
    answerTokens: 1,
    blockSizeTokens: 4,
  });
  made.isNew = about.isNew;
  return made;
}

test("the next is the first of a list sorted by priority, then was in, then share, then time", () => {
  fc.assert(
    fc.property(fc.array(sequence, { maxLength: 12 }), charges, (abouts, charged) => {
      const share = new FairShare();
      const given: Record<string, number> = { a: 0, b: 0, c: 0 };
      for (const [client, tokens] of charged) {
        share.charge(client, tokens);
        given[client]! += tokens;
      }
      const queue = new WaitQueue<SimulatedSequence>(
        { queuedSequencesMax: 100, queueWaitMs: 1 },
        (clientId) => share.servedTokens(clientId),
      );
      let all = abouts.map(make);
      for (const one of all) {
        if (one.isNew) queue.submit(one, 0);
        else queue.requeue(one);
      }
      while (all.length > 0) {
        const key = (one: SimulatedSequence) => [
          one.priority,
          one.isNew ? 1 : 0,
          one.isNew ? given[one.clientId]! : 0,
          one.id,
        ];
        const [first] = all.toSorted((a, b) => {
          const [left, right] = [key(a), key(b)];
          const at = left.findIndex((value, i) => value !== right[i]);
          return at < 0 ? 0 : left[at]! - right[at]!;
        });
        assert.equal(queue.next(), first);
        queue.remove(first!, 0);
        all = all.filter((one) => one !== first);
      }
      assert.equal(queue.next(), undefined);
    }),
  );
});

test("a full queue keeps its size, refuses one, and who was in the batch is never refused", () => {
  fc.assert(
    fc.property(fc.array(sequence, { minLength: 4, maxLength: 20 }), (abouts) => {
      const limits = { queuedSequencesMax: 3, queueWaitMs: 1 };
      const queue = new WaitQueue<SimulatedSequence>(limits, () => 0);
      abouts.map(make).forEach((one, i) => {
        const before = queue.waiting.filter(({ isNew }) => isNew);
        if (!one.isNew) queue.requeue(one);
        else {
          try {
            queue.submit(one, 0);
          } catch {
            // Refused only while three wait, none of them less urgent.
            assert.equal(before.length, 3);
            assert(before.every(({ priority }) => priority <= one.priority));
          }
        }
        const after = queue.waiting.filter(({ isNew }) => isNew);
        assert(after.length <= 3);
        assert.equal(after.length, Math.min(3, before.length + (one.isNew ? 1 : 0)));
        assert(
          queue.waiting.every(({ isEnded }) => !isEnded),
          `${i}`,
        );
      });
    }),
  );
});

test("who is refused is told when half of the queue will have moved, within a range", () => {
  const queue = new WaitQueue<SimulatedSequence>(
    { queuedSequencesMax: 8, queueWaitMs: 1e9 },
    () => 0,
  );
  const about = { clientId: "a", priority: 0, isNew: true };
  let id = 0;
  const submit = (nowMs: number) => queue.submit(make(about, id++), nowMs);
  const refusal = (nowMs: number) => {
    try {
      submit(nowMs);
    } catch (error) {
      return (error as { retryAfterMs: number }).retryAfterMs;
    }
    throw new Error("there was room");
  };
  for (let i = 0; i < 8; i++) submit(0);
  expect(refusal(0)).toBe(retryAfterRangeMs.min);
  for (const nowMs of [0, 1000, 2000, 3000]) {
    queue.remove(queue.next()!, nowMs);
    submit(nowMs);
  }
  expect(refusal(4000)).toBe(4000); // one a second, and four of eight
  expect(refusal(400_000)).toBe(retryAfterRangeMs.max);
});

test("waiting earns nothing: who comes late starts level with who was given least", () => {
  const share = new FairShare();
  share.charge("a", 100);
  share.charge("b", 70);
  share.settle(["a", "b"]);
  expect(["a", "b", "new"].map((id) => share.servedTokens(id))).toEqual([100, 70, 70]);
  share.charge("b", 50);
  share.settle(["a", "b"]);
  expect(share.servedTokens("new")).toBe(100);
  share.settle([]);
  expect(share.servedTokens("b")).toBe(share.servedTokens("new"));
});

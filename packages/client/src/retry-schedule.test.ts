import fc from "fast-check";
import { expect, test } from "vitest";
import { defaultRetryPolicy, RetrySchedule } from "./retry-schedule.ts";

const policies = fc.record({
  attemptsMax: fc.integer({ min: 1, max: 8 }),
  delayMs: fc.integer({ min: 1, max: 1_000 }),
  delayMsMax: fc.integer({ min: 1, max: 10_000 }),
});

/** All that follows when every attempt fails, the first one at `first`. */
function failures(schedule: RetrySchedule, first: number) {
  const attempts: { addressIndex: number; waitMs: number }[] = [];
  let index = first;
  for (;;) {
    const next = schedule.next(index, { nowMs: 0 });
    if (next === undefined) return attempts;
    attempts.push(next);
    index = next.addressIndex;
  }
}

test("every address is asked equally often, in turn, and waits come only between rounds", () => {
  const shapes = fc.tuple(
    policies,
    fc.integer({ min: 1, max: 5 }),
    fc.nat(),
    fc.double({ min: 0, max: 0.999, noNaN: true }),
  );
  fc.assert(
    fc.property(shapes, ([policy, numAddresses, seed, random]) => {
      const first = seed % numAddresses;
      const attempts = failures(new RetrySchedule(policy, numAddresses, () => random), first);
      expect(attempts).toHaveLength(policy.attemptsMax * numAddresses - 1);
      attempts.forEach(({ addressIndex, waitMs }, i) => {
        expect(addressIndex).toBe((first + i + 1) % numAddresses);
        const round = (i + 1) / numAddresses;
        const bound = Math.min(policy.delayMsMax, policy.delayMs * 2 ** (round - 1));
        expect(waitMs).toBe(Number.isInteger(round) ? random * bound : 0);
      });
    }),
  );
});

test("progress gives a call all its attempts back", () => {
  const schedule = new RetrySchedule(defaultRetryPolicy, 1, () => 0.5);
  for (let i = 0; i < 50; i++) {
    expect(schedule.next(0, { nowMs: 7 })).toEqual({ addressIndex: 0, waitMs: 100 });
    schedule.progressed();
  }
});

test("no address is asked before the time it named, and others are not held up by it", () => {
  const schedule = new RetrySchedule(defaultRetryPolicy, 2, () => 0.5);
  const told = schedule.next(0, { nowMs: 1_000, retryAfterMs: 3_000 });
  expect(told).toEqual({ addressIndex: 1, waitMs: 0 });
  const back = schedule.next(1, { nowMs: 1_500 });
  expect(back).toEqual({ addressIndex: 0, waitMs: 2_500 + 100 });
});

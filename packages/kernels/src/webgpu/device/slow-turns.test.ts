import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import { SlowTurns } from "./slow-turns.ts";

/** How often the event loop turned until `promise` settled, and how long that was. */
async function turnsWhile(promise: Promise<unknown>) {
  let isSettled = false;
  let turns = 0;
  const startMs = performance.now();
  const settled = promise.finally(() => {
    isSettled = true;
  });
  while (!isSettled) {
    await new Promise((resolve) => setImmediate(resolve));
    turns += 1;
  }
  await settled;
  return { turns, milliseconds: performance.now() - startMs };
}

test("turns last half a millisecond while something is awaited, and no longer", async () => {
  const slowTurns = new SlowTurns();
  const [one, two] = [slowTurns.while(wait(20, "one")), slowTurns.while(wait(40, "two"))];
  const slow = await turnsWhile(Promise.all([one, two]));
  expect(slow.turns).toBeLessThanOrEqual(slow.milliseconds / 0.5 + 2);
  expect(await Promise.all([one, two])).toEqual(["one", "two"]);
  const free = await turnsWhile(wait(40));
  expect(free.turns).toBeGreaterThan(slow.turns);
});

test("what is awaited may fail, and is awaited again", async () => {
  const slowTurns = new SlowTurns();
  for (let i = 0; i < 2; i++) {
    await expect(slowTurns.while(Promise.reject(new Error("lost")))).rejects.toThrow("lost");
    expect(await slowTurns.while(wait(1, "there"))).toBe("there");
  }
});

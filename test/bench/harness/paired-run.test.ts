import { expect, test } from "vitest";
import { runPairs } from "./paired-run.ts";
import { Slot } from "./slot.ts";

test("pairs alternate who is first, after a warm-up, with the limit on both sides of ours", async () => {
  const order: string[] = [];
  let clock = 0;
  const step = (name: string) => async () => {
    order.push(name);
    return clock++;
  };
  const run = { pairs: 2, ours: step("ours"), theirs: step("theirs"), limit: step("limit") };
  const samples = await runPairs(run);
  const [warmUp, first, second] = [order.slice(0, 2), order.slice(2, 6), order.slice(6)];
  expect(warmUp).toEqual(["ours", "theirs"]);
  expect(first).toEqual(["limit", "ours", "limit", "theirs"]);
  expect(second).toEqual(["theirs", "limit", "ours", "limit"]);
  expect(samples).toEqual({ ours: [3, 8], theirs: [5, 6], limits: [(2 + 4) / 2, (7 + 9) / 2] });
});

test("a slot closes what it holds before it opens another, and opens nothing twice", async () => {
  const order: string[] = [];
  const open = (name: string) => async () => {
    order.push(`open ${name}`);
    return {
      name,
      [Symbol.asyncDispose]: async () => {
        order.push(`close ${name}`);
      },
    };
  };
  {
    await using slot = new Slot<Awaited<ReturnType<ReturnType<typeof open>>>>();
    const first = await slot.get("a", open("a"));
    expect(await slot.get("a", open("a again"))).toBe(first);
    await slot.get("b", open("b"));
  }
  expect(order).toEqual(["open a", "close a", "open b", "close b"]);
});

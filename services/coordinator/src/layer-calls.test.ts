import { expect, test } from "vitest";
import { LayerCalls } from "./layer-calls.ts";

/** Calls of experts 0, 1, ... in that order; undefined is one that fails. */
function settle(seconds: readonly (number | undefined)[], closesFirst: boolean) {
  const said: unknown[] = [];
  const calls = new LayerCalls(3, {
    answered: (lagSeconds, slowestId) => said.push([lagSeconds, slowestId]),
    failed: () => said.push("failed"),
  });
  for (const expertId of seconds.keys()) {
    expect(calls.takes(3, expertId)).toBe(true);
    calls.asked(expertId);
    expect([calls.takes(3, expertId), calls.takes(4, 9)]).toEqual([false, false]);
  }
  if (closesFirst) calls.close();
  seconds.forEach((each, expertId) => {
    expect(said).toEqual([]); // never before the last
    if (each === undefined) calls.failed();
    else calls.answered(expertId, each);
  });
  if (!closesFirst) calls.close();
  return said;
}

test.each([true, false])("the last answer is told from the median once: %s", (closesFirst) => {
  expect(settle([1, 4], closesFirst)).toEqual([[3, 1]]);
  expect(settle([9, 1, 2], closesFirst)).toEqual([[7, 0]]);
  expect(settle([1, 8, 2, 3], closesFirst)).toEqual([[6, 1]]);
  expect(settle([5, 5, 5], closesFirst)[0]).toEqual([0, 2]);
  expect(settle([1], closesFirst)).toEqual([]); // nobody waits for anybody
  expect(settle([1, undefined, 3], closesFirst)).toEqual(["failed"]);
  expect(settle([undefined], closesFirst)).toEqual(["failed"]);
});

import { expect, test } from "vitest";
import { findCycle } from "./find-cycle.ts";

test("a cycle is found wherever it hangs", () => {
  const graph = new Map([
    ["start", ["a"]],
    ["a", ["b", "leaf"]],
    ["b", ["c"]],
    ["c", ["a"]],
  ]);
  expect(findCycle(graph)).toEqual(["a", "b", "c", "a"]);
});

test("a diamond is no cycle", () => {
  const graph = new Map([
    ["top", ["left", "right"]],
    ["left", ["bottom"]],
    ["right", ["bottom"]],
  ]);
  expect(findCycle(graph)).toBeUndefined();
});

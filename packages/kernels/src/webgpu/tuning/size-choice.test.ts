import { expect, test } from "vitest";
import { chooseSizes, type KernelCost, keepWorthwhile } from "./size-choice.ts";

const few = (rows: number, microseconds: number): KernelCost => ({
  family: "few",
  rows,
  microseconds,
});
const many = (rows: number, microseconds: number): KernelCost => ({
  family: "many",
  rows,
  microseconds,
});

test("the tile with the least time a row is the largest, and each smaller kernel is cheaper", () => {
  const costs = [few(1, 10), few(4, 20), many(16, 40), many(64, 100), many(128, 260)];
  expect(chooseSizes(costs)).toEqual({ fewRows: [1, 4], tileRows: [16, 64] });
});

test("few rows end where a tile is as cheap", () => {
  const costs = [few(1, 10), few(4, 20), few(8, 45), many(16, 40), many(64, 100)];
  expect(chooseSizes(costs)).toEqual({ fewRows: [1, 4], tileRows: [16, 64] });
});

test("a kernel that saves next to nothing is not made", () => {
  const costs = [few(1, 19.5), few(4, 20), many(16, 40), many(64, 41)];
  expect(chooseSizes(costs)).toEqual({ fewRows: [4], tileRows: [64] });
});

test("the order in which costs were measured does not matter", () => {
  const costs = [many(64, 100), few(4, 20), many(16, 40), few(1, 10)];
  expect(chooseSizes(costs)).toEqual(chooseSizes(costs.toReversed()));
});

test("where something else is cheaper than every kernel, none is kept", () => {
  expect(keepWorthwhile([few(1, 10), few(4, 12)], 10)).toEqual([]);
  expect(keepWorthwhile([few(4, 12), few(1, 10)], 20)).toEqual([few(1, 10), few(4, 12)]);
});

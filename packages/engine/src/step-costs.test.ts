import { expect, test } from "vitest";
import { StepCosts, stepsRemembered } from "./step-costs.ts";

test("what was measured is interpolated, and costs nothing beyond", () => {
  const costs = new StepCosts(32);
  expect(costs.estimate(1)).toBeUndefined();
  costs.observe(2, 10);
  expect(costs.estimate(1)).toBeUndefined();
  expect(costs.estimate(2)).toBe(10);
  expect(costs.estimate(9)).toBe(10);
  costs.observe(6, 30);
  expect(costs.estimate(3)).toBe(15);
  expect(costs.estimate(6)).toBe(30);
  expect(costs.estimate(32)).toBe(30);
  expect(costs.estimate(1000)).toBe(30);
  costs.observe(33, 1);
  expect(costs.estimate(32)).toBe(30);
});

test("times are averaged, and forgotten when nobody has measured them for long", () => {
  const costs = new StepCosts(4);
  costs.observe(4, 80);
  costs.observe(4, 88);
  expect(costs.estimate(4)).toBe(81);
  for (let i = 0; i < stepsRemembered - 1; i++) costs.observe(1, 10);
  expect(costs.estimate(4)).toBe(81);
  costs.observe(1, 10);
  expect(costs.estimate(4)).toBe(10);
  costs.observe(4, 70);
  expect(costs.estimate(4)).toBe(70);
});

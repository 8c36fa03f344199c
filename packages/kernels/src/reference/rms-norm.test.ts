import { expect, test } from "vitest";
import { rmsNorm } from "./rms-norm.ts";

test("a row is divided by its root mean square, then multiplied by the weight", () => {
  const out = rmsNorm(Float32Array.of(3, 4, 6, 8), Float32Array.of(1, 2), 0);
  const rms = Math.sqrt(12.5);
  [3 / rms, 8 / rms, 3 / rms, 8 / rms].forEach((expected, i) => {
    expect(out[i]).toBeCloseTo(expected, 6);
  });
});

test("eps is added to the mean square", () => {
  const out = rmsNorm(Float32Array.of(1, 1), Float32Array.of(1, 1), 3);
  expect([...out]).toEqual([0.5, 0.5]);
  expect([...rmsNorm(new Float32Array(2), Float32Array.of(1, 1), 1e-5)]).toEqual([0, 0]);
});

test("the normalised value is rounded to f32 before the weight multiplies it", () => {
  const x = Float32Array.from({ length: 64 }, (_, i) => i + 1);
  const weight = new Float32Array(64).fill(3);
  const rms = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / 64);
  const twice = x.map((value) => 3 * Math.fround(value / rms));
  const once = x.map((value) => (3 * value) / rms);
  expect(rmsNorm(x, weight, 0)).toEqual(twice);
  expect(twice).not.toEqual(once);
});

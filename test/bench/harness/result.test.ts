import { expect, test } from "vitest";
import type { Bar } from "./bar.ts";
import { areMet, describeBars } from "./bar.ts";
import type { Measurement } from "./benchmark.ts";
import { type Provenance, toResult } from "./result.ts";
import { formatNumber, formatTable } from "./table.ts";

const machine = { cpu: "x", cores: 2, memoryGb: 1, isas: ["portable"], system: "s", node: "v" };
const provenance: Provenance = { otherLoad: 0.25, machine, commit: "abc-dirty" };
const ratioBar: Bar = { of: "ratio", is: "at least", bound: 1.5 };
const limitBar: Bar = { of: "ofLimit", is: "at least", bound: 0.6 };
const benchmark = { name: "decode", unit: "tokens/s", bars: [ratioBar, limitBar] };
const facts = { shapes: "small", dtype: "q4", threads: 2 };

const measured: Measurement = {
  ...facts,
  samples: [30, 10, 20],
  peer: { name: "peer", samples: [10, 10, 5] },
  limit: { name: "read-bandwidth", samples: [4e9, 5e9, 6e9], shares: [0.5, 0.7, 0.65] },
};

test("the ratio is the median of pairs, not a ratio of medians", () => {
  // Pairs 3, 1, 4; the medians 20 and 10 would give 2.
  const result = toResult(benchmark, measured, provenance);
  expect(result).toMatchObject({ value: 20, peer: 10, ratio: 3, ratioMin: 1, ratioMax: 4 });
  expect(result.otherLoad).toBe(0.25);
  expect(result).toMatchObject({ median: 20, min: 10, max: 30, repeats: 3, commit: "abc-dirty" });
  expect(result).toMatchObject({ ofLimit: 0.65, limit: { name: "read-bandwidth", value: 5e9 } });
  expect(result).toMatchObject({ bar: "ratio ≥ 1.5, ofLimit ≥ 0.6", met: true, ...facts });
});

test("a result without a peer, a limit or a bar says so", () => {
  const unknown = { ...provenance, otherLoad: undefined };
  const result = toResult({ ...benchmark, bars: [] }, { ...facts, samples: [1] }, unknown);
  expect(result).toMatchObject({ otherLoad: null, peer: null, ratio: null, bar: null, met: null });
  expect(result).not.toHaveProperty("ofLimit");
});

test("every bar must be met, and one without its number is not", () => {
  expect(areMet([ratioBar, limitBar], { ratio: 1.5, ofLimit: 0.6 })).toBe(true);
  expect(areMet([ratioBar, limitBar], { ratio: 1.49, ofLimit: 0.6 })).toBe(false);
  expect(areMet([ratioBar, limitBar], { ratio: 9 })).toBe(false);
  const most: Bar = { of: "value", is: "at most", bound: 2 };
  expect([areMet([most], { value: 2 }), areMet([most], { value: 2.1 })]).toEqual([true, false]);
  expect(describeBars([most])).toBe("value ≤ 2");
});

test("the table has one line a result, and its columns line up", () => {
  const result = toResult(benchmark, measured, provenance);
  const lines = formatTable([result, { ...result, name: "a longer name" }]).split("\n");
  expect(lines).toHaveLength(5); // headings, rule, two rows, and the end of the last line
  const places = lines.slice(0, 4).map((line) => Array.from(line.matchAll(/\|/g), (m) => m.index));
  expect(new Set(places.map(String)).size).toBe(1);
  expect(lines[1]).toMatch(/^[| -]+$/);
  expect(lines[2]).toContain("| 20.0 tokens/s | 10.0 (peer) | 3.00 (1.00–4.00) | 65 % of read-");
});

test("numbers keep three digits that count", () => {
  expect([1234.5, 123.45, 12.345, 1.2345, 0.012345].map(formatNumber)).toEqual([
    "1235", // four before the point stay
    "123",
    "12.3",
    "1.23",
    "0.0123",
  ]);
});

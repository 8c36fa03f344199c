import { expect, test } from "vitest";
import { formatBytes, formatDuration } from "./format.ts";

test("bytes are written with three digits and the unit that fits", () => {
  const written = [0, 999, 1000, 12_345, 374_000_000, 6.3e9, 93.4e9, 5e12].map(formatBytes);
  expect(written).toEqual([
    "0 B",
    "999 B",
    "1.00 kB",
    "12.3 kB",
    "374 MB",
    "6.30 GB",
    "93.4 GB",
    "5.00 TB",
  ]);
});

test("durations are written in the two units that matter", () => {
  expect([0.4, 59, 61, 3599, 3661, 90_000].map(formatDuration)).toEqual([
    "0 s",
    "59 s",
    "1 min 1 s",
    "59 min 59 s",
    "1 h 1 min",
    "25 h 0 min",
  ]);
});

import { expect, test } from "vitest";
import { fromBf16Bits, toBf16Bits } from "./index.ts";

test("every bf16 value survives the round trip", () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = fromBf16Bits(bits);
    if (Number.isNaN(value)) expect(Number.isNaN(fromBf16Bits(toBf16Bits(value)))).toBe(true);
    else expect(toBf16Bits(value)).toBe(bits);
  }
});

test("halfway values round to the even neighbour", () => {
  expect(toBf16Bits(1 + 2 ** -8)).toBe(0x3f80);
  expect(toBf16Bits(1 + 3 * 2 ** -8)).toBe(0x3f82);
  expect(toBf16Bits(1 + 2 ** -8 + 2 ** -20)).toBe(0x3f81);
});

test("values beyond the largest bf16 become infinity", () => {
  expect(fromBf16Bits(toBf16Bits(3.4e38))).toBe(Number.POSITIVE_INFINITY);
});

import { fromF16Bits, toF16Bits } from "@octet/core";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createF32Scratch, f16ToF32Bits } from "./decode-weights.ts";
import { encodeF16 } from "./encode-f16.ts";

function encode(values: readonly number[]) {
  const scratch = createF32Scratch(values.length);
  scratch.values.set(values);
  const target = new Uint16Array(values.length);
  return { overflowAt: encodeF16(scratch, values.length, target), bits: [...target] };
}

test("every finite f16 comes back as it was, by either decoding", () => {
  const finite = Array.from({ length: 0x10000 }, (_, bits) => bits).filter(
    (bits) => (bits & 0x7c00) !== 0x7c00,
  );
  const values = finite.map((bits) => {
    return new Float32Array(Uint32Array.of(f16ToF32Bits(bits)).buffer)[0]!;
  });
  expect(encode(values)).toEqual({ overflowAt: undefined, bits: finite });
  expect(finite.map(fromF16Bits)).toEqual(values);
});

test("the nearest f16 is taken, of two the even one", () => {
  const near = fc.double({ min: -65_000, max: 65_000, noNaN: true }).map(Math.fround);
  fc.assert(
    fc.property(near, (value) => {
      const [bits] = encode([value]).bits;
      const error = Math.abs(fromF16Bits(bits!) - value);
      for (const neighbour of [bits! - 1, bits! + 1].filter((at) => (at & 0x7fff) < 0x7c00)) {
        const other = Math.abs(fromF16Bits(neighbour & 0xffff) - value);
        if (other === error) expect(bits! % 2).toBe(0);
        else expect(error).toBeLessThan(other);
      }
      expect(toF16Bits(value)).toBe(bits);
    }),
  );
});

test("the first value beyond f16's range is named", () => {
  expect(encode([1, 65_504, 65_519, -65_520, 1e9]).overflowAt).toBe(3);
});

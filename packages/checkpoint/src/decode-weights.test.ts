import fc from "fast-check";
import { expect, test } from "vitest";
import { createF32Scratch, decodeWeights, f16ToF32Bits } from "./decode-weights.ts";

/** The definition of a half: sign, five bits of exponent, ten of fraction. */
function f16ByDefinition(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

test("every f16 decodes exactly", () => {
  const view = new DataView(new ArrayBuffer(4));
  for (let half = 0; half < 0x10000; half++) {
    view.setUint32(0, f16ToF32Bits(half));
    const found = view.getFloat32(0);
    if (!Object.is(found, f16ByDefinition(half))) {
      expect.fail(`0x${half.toString(16)}: ${found}, expected ${f16ByDefinition(half)}`);
    }
  }
});

test("bf16 decodes to the f32 whose upper half it is", () => {
  const source = Uint16Array.of(0x3f80, 0xbf80, 0x0000, 0x8000, 0x0001, 0x7f7f);
  const scratch = createF32Scratch(6);
  expect(decodeWeights("bf16", new Uint8Array(source.buffer), 6, scratch)).toBeUndefined();
  expect(Array.from(scratch.values)).toEqual([1, -1, 0, -0, 2 ** -133, 255 * 2 ** 120]);
});

test("f32 passes bit for bit", () => {
  const source = Float32Array.of(1.1, -0, 2 ** -149, 3.4e38);
  const scratch = createF32Scratch(4);
  decodeWeights("f32", new Uint8Array(source.buffer), 4, scratch);
  expect(Array.from(scratch.values)).toEqual(Array.from(source));
});

test("the first NaN or infinity is found, wherever it is and in whatever dtype", () => {
  const notFinite = { f32: [0x7f800000, 0xff800000, 0x7f800001, 0xffffffff] };
  const half = { bf16: [0x7f80, 0xff80, 0x7f81, 0xffff], f16: [0x7c00, 0xfc00, 0x7c01, 0xffff] };
  const bad = { ...notFinite, ...half };
  fc.assert(
    fc.property(
      fc.constantFrom("f32", "bf16", "f16" as const),
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.tuple(fc.nat(39), fc.nat(3)), { maxLength: 4 }),
      (dtype, count, planted) => {
        const bits = dtype === "f32" ? new Uint32Array(count) : new Uint16Array(count);
        bits.fill(dtype === "f32" ? 0x7f7fffff : dtype === "bf16" ? 0xff7f : 0x7bff);
        const places = planted.filter(([at]) => at < count);
        for (const [at, which] of places) bits[at] = bad[dtype][which]!;
        const first = places.length === 0 ? undefined : Math.min(...places.map(([at]) => at));
        const scratch = createF32Scratch(count);
        expect(decodeWeights(dtype, new Uint8Array(bits.buffer), count, scratch)).toBe(first);
      },
    ),
  );
});

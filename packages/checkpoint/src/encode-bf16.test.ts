import { fromBf16Bits, toBf16Bits } from "@octet/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createF32Scratch, type F32Scratch } from "./decode-weights.ts";
import { encodeBf16 } from "./encode-bf16.ts";

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });

function scratchOf(values: readonly number[]): F32Scratch {
  const scratch = createF32Scratch(values.length);
  scratch.values.set(values);
  return scratch;
}

test("bf16 rounds as core's slow twin does", () => {
  fc.assert(
    fc.property(fc.array(finite, { minLength: 1, maxLength: 50 }), (values) => {
      const scratch = scratchOf(values);
      const target = new Uint16Array(values.length);
      const overflow = encodeBf16(scratch, values.length, target);
      expect(Array.from(target)).toEqual(Array.from(scratch.values, toBf16Bits));
      const first = Array.from(target).findIndex((bits) => !Number.isFinite(fromBf16Bits(bits)));
      expect(overflow).toBe(first === -1 ? undefined : first);
    }),
    { examples: [[[1 + 2 ** -8, 1 + 3 * 2 ** -8]], [[1, 3.4e38]], [[-3.4e38]]] },
  );
});

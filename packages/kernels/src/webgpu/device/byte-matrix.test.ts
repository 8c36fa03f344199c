import { expect, test } from "vitest";
import { findByteMatrix, type MatrixConfig } from "./byte-matrix.ts";
import { withSizes } from "./shader-text.ts";

function config(types: string, [M, N, K]: readonly [number, number, number]): MatrixConfig {
  const [componentType = "", resultComponentType = ""] = types.split(" ");
  return { componentType, resultComponentType, M, N, K };
}

test("the largest exact product of bytes that tiles can be made of is taken", () => {
  const small = config("i8 i32", [8, 8, 8]);
  const large = config("i8 i32", [16, 16, 32]);
  expect(findByteMatrix([small, large])).toEqual({ M: 16, N: 16, K: 32 });
  expect(findByteMatrix([large, small])).toEqual({ M: 16, N: 16, K: 32 });
});

test("products that are not exact, not of signed bytes or of another shape are not", () => {
  expect(findByteMatrix([])).toBeUndefined();
  for (const types of ["f16 f32", "f16 f16", "u8 u32", "i8 f32"]) {
    expect(findByteMatrix([config(types, [8, 8, 8])])).toBeUndefined();
  }
  for (const shape of [
    [32, 8, 8],
    [12, 8, 8],
    [8, 12, 8],
    [8, 128, 8],
    [8, 8, 64],
    [8, 8, 24],
  ] as const) {
    expect(findByteMatrix([config("i8 i32", shape)])).toBeUndefined();
  }
});

test("sizes are put into a shader's declarations, and only into those it has", () => {
  const code = "const a = 1u;\nconst ab = 2u; // a\n";
  expect(withSizes(code, { a: 30 })).toBe("const a = 30u;\nconst ab = 2u; // a\n");
  expect(() => withSizes(code, { b: 1 })).toThrow();
});

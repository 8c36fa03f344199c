// How two results are compared: bit for bit within an engine, by relative error across engines.
import assert from "node:assert/strict";

/** sqrt(Σ(actual − expected)² / Σexpected²), in f64; NaN if either holds NaN or all is zero. */
export function relativeL2(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  assert.equal(actual.length, expected.length, "compared results have the same length");
  let difference = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return Math.sqrt(difference / size);
}

/** Fails unless relativeL2 is at most `bound`; NaN fails too. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { bound, what }: { bound: number; what: string },
): void {
  const error = relativeL2(actual, expected);
  if (!(error <= bound)) {
    assert.fail(`${what}: relative L2 error ${error} exceeds ${bound}`);
  }
}

/** Fails unless the two hold the same bytes. */
export function assertSameBits(
  actual: Uint8Array | Float32Array | Int32Array,
  expected: Uint8Array | Float32Array | Int32Array,
  what: string,
): void {
  const a = new Uint8Array(actual.buffer, actual.byteOffset, actual.byteLength);
  const b = new Uint8Array(expected.buffer, expected.byteOffset, expected.byteLength);
  assert.equal(a.length, b.length, `${what}: lengths differ`);
  const first = a.findIndex((byte, i) => byte !== b[i]);
  assert(first < 0, `${what}: bits differ from byte ${first} of ${a.length}`);
}

/** The bytes in memory of their own; `slice` of a Node buffer would share it. */
export function copyBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

import { writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  alignTensors,
  isPadding,
  layoutSafetensors,
  type NamedTensor,
  readSafetensorsHeader,
} from "./safetensors-header.ts";
import { expectRefusal } from "./testing/expect-refusal.ts";
import { withHeader } from "./testing/synthetic-checkpoint.ts";
import { createTemporaryFolder } from "./testing/temporary-folder.ts";

async function readBytes(bytes: Uint8Array) {
  const path = join(createTemporaryFolder(), "x.safetensors");
  writeFileSync(path, bytes);
  await using handle = await open(path);
  return await readSafetensorsHeader(handle, path);
}

const data = (bytes: number) => [new Uint8Array(bytes)];
const entry = (from: number, to: number, shape = [(to - from) / 4], dtype = "F32") =>
  `{"dtype":"${dtype}","shape":${JSON.stringify(shape)},"data_offsets":[${from},${to}]}`;

test("a layout reads back, starts its data on 64 bytes, and leaves no gaps", async () => {
  const dtypes = fc.constantFrom("f32", "bf16", "u8" as const);
  const shapes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 });
  const tensors = fc.uniqueArray(
    fc.record({ name: fc.string({ minLength: 1 }), dtype: dtypes, shape: shapes }),
    { selector: ({ name }) => name, maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(tensors, async (wanted) => {
      const named = wanted.map((tensor, i) => ({ ...tensor, name: `${i}${tensor.name}` }));
      const header = layoutSafetensors(named);
      checkAligned(named);
      expect(header.bytes.length % 64).toBe(0);
      const file = new Uint8Array(header.sizeBytes);
      file.set(header.bytes);
      const found = await readBytes(file);
      expect(found.tensors).toEqual(header.tensors);
      expect(Array.from(found.tensors.keys())).toEqual(named.map(({ name }) => name));
    }),
    { numRuns: 30 },
  );
});

/** Aligning adds padding alone, as little as does. */
function checkAligned(named: readonly NamedTensor[]): void {
  const aligned = alignTensors(named);
  expect(aligned.filter(({ name }) => !isPadding(name))).toEqual(named);
  for (const [name, { offsetBytes, lengthBytes }] of layoutSafetensors(aligned).tensors) {
    if (isPadding(name)) expect(lengthBytes).toBeLessThan(64);
    else expect([name, offsetBytes % 64]).toEqual([name, 0]);
  }
}

test("tensors may be listed in any order", async () => {
  const json = `{"b":${entry(8, 12)},"__metadata__":{"format":"pt"},"a":${entry(0, 8)}}`;
  const { tensors } = await readBytes(withHeader(json, data(12)));
  expect(tensors.get("a")?.offsetBytes).toBe(8 + json.length);
  expect(tensors.get("b")?.offsetBytes).toBe(8 + json.length + 8);
});

test("a file too short for a header is refused", async () => {
  await expectRefusal(readBytes(new Uint8Array(5)), "bad-file", "5 bytes");
});

test("a header longer than the file is refused", async () => {
  const whole = withHeader(`{"a":${entry(0, 4)}}`, data(4));
  await expectRefusal(readBytes(whole.subarray(0, 30)), "bad-file", "at most 22", "length of");
});

test("a header of absurd length is refused before it is read", async () => {
  const bytes = Buffer.alloc(64, 0xff);
  await expectRefusal(readBytes(bytes), "bad-file", "length of 18446744073709552000");
});

test("a header that is not a JSON object is refused", async () => {
  await expectRefusal(readBytes(withHeader("{oops", [])), "bad-file", "header of JSON");
  await expectRefusal(readBytes(withHeader("[1]", [])), "bad-file", "JSON object");
  await expectRefusal(readBytes(withHeader("null", [])), "bad-file", "JSON object");
  await expectRefusal(readBytes(withHeader('"\xff', [])), "bad-file", "header of JSON");
});

test("a truncated file is refused with both sizes", async () => {
  const whole = withHeader(`{"a":${entry(0, 400)}}`, data(400));
  const cut = whole.subarray(0, whole.length - 1);
  const sizes = [`expected ${whole.length} bytes`, `found ${cut.length}`, "truncated"];
  await expectRefusal(readBytes(cut), "bad-file", ...sizes);
});

test("bytes after the last tensor are refused", async () => {
  await expectRefusal(readBytes(withHeader(`{"a":${entry(0, 4)}}`, data(5))), "bad-file");
});

test("tensors that overlap or leave a gap are refused", async () => {
  const overlap = `{"a":${entry(0, 8)},"b":${entry(4, 12)}}`;
  await expectRefusal(readBytes(withHeader(overlap, data(12))), "bad-file", "tensor b", "after a");
  const gap = `{"a":${entry(0, 4)},"b":${entry(8, 12)}}`;
  await expectRefusal(readBytes(withHeader(gap, data(12))), "bad-file", "tensor b");
});

test("an entry that makes no sense is refused, naming the tensor", async () => {
  const refused = (json: string, ...parts: string[]) =>
    expectRefusal(readBytes(withHeader(`{"a":${json}}`, data(8))), "bad-tensor", ...parts);
  await refused(entry(0, 8, [8], "F8_E4M3"), "tensor a", "F8_E4M3", "BF16");
  await refused(entry(0, 8, [3]), "tensor a", "12 bytes for F32 [3]", "found 8");
  await refused(entry(8, 0, [-2]), "tensor a", "expected a shape, found [-2]");
  await refused(entry(0, 8, [2.5]), "tensor a", "expected a shape");
  await refused('{"dtype":"F32","shape":[2]}', "two data_offsets, found undefined");
  await refused("7", "tensor a", "found undefined");
});

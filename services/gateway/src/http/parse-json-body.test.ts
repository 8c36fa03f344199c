import fc from "fast-check";
import { expect, test } from "vitest";
import { ApiError } from "./api-error.ts";
import { nestsDeeperThan } from "./json-nesting.ts";
import { parseJsonBody } from "./parse-json-body.ts";

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test("nesting is that of the value, whatever brackets its strings have", () => {
  const anyJson = fc.jsonValue({ maxDepth: 6 });
  fc.assert(
    fc.property(anyJson, fc.string(), fc.nat(8), (value, text, max) => {
      const whole = [value, `${text}[{"\\`, { [text]: 1 }];
      expect(nestsDeeperThan(JSON.stringify(whole), max)).toBe(depthOf(whole) > max);
    }),
  );
});

test("any JSON is read as JSON.parse reads it, but for prototypes", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      if (text.includes("__proto__")) return;
      expect(parseJsonBody(Buffer.from(text))).toEqual(JSON.parse(text));
    }),
  );
  const read = parseJsonBody(Buffer.from('{"__proto__": {"a": 1}, "b": 2}')) as { a?: number };
  expect(read.a).toBeUndefined();
  expect(Object.keys(read)).toEqual(["b"]);
});

test("any bytes are read or refused, and the refusal repeats none of them", () => {
  const secret = "swordfish";
  fc.assert(
    fc.property(fc.uint8Array(), fc.string(), (bytes, text) => {
      for (const body of [Buffer.from(bytes), Buffer.from(`{"a": "${secret}" ${text}`)]) {
        try {
          parseJsonBody(body);
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
          expect((error as ApiError).status).toBe(400);
          expect((error as ApiError).message).not.toContain(secret);
        }
      }
    }),
  );
});

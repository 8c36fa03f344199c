import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { PrefixChain, type PrefixScope } from "./prefix-chain.ts";

const salt = (text: string): PrefixScope => ({ kind: "salt", salt: text });
const digests = (scope: PrefixScope, tokenIds: readonly number[]) => {
  const chain = new PrefixChain(scope, 4);
  return Array.from({ length: Math.floor(tokenIds.length / 4) }, (_, block) =>
    chain.digestOf(block, tokenIds),
  );
};

test("two blocks have one digest exactly if all tokens up to their end are equal", () => {
  const tokens = fc.array(fc.nat({ max: 1 }), { minLength: 4, maxLength: 24 });
  fc.assert(
    fc.property(tokens, tokens, (a, b) => {
      const [ofA, ofB] = [digests(salt("s"), a), digests(salt("s"), b)];
      ofA.forEach((digest, i) => {
        const prefix = a.slice(0, 4 * (i + 1)).join();
        const isEqual = prefix === b.slice(0, 4 * (i + 1)).join();
        expect(digest === ofB[i]).toBe(isEqual);
        expect(ofB.filter((other, j) => j !== i && other === digest)).toEqual([]);
      });
    }),
  );
});

test("scopes share nothing, however their names are written", () => {
  const tokenIds = [7, 8, 9, 10];
  const scopes: PrefixScope[] = [
    ...["", "\0", "\0\0", "1", "a", "ab", "é"].map(salt),
    { kind: "request", requestNumber: 1 },
    { kind: "request", requestNumber: 11 },
  ];
  const first = scopes.map((scope) => digests(scope, tokenIds)[0]);
  expect(new Set(first).size).toBe(scopes.length);
});

test("the digest is that of the layout the comment gives", () => {
  const sha256 = (...parts: Buffer[]) => createHash("sha256").update(Buffer.concat(parts)).digest();
  const root = sha256(
    Buffer.from("octet kv prefix 1 salt\0"),
    Buffer.from([2, 0, 0, 0]),
    Buffer.from("ab"),
  );
  const block = (...ids: number[]) => Buffer.from(Int32Array.from(ids).buffer);
  const first = sha256(root, block(1, 2, 3, 258));
  const second = sha256(first, block(0, 0, 70_000, 5));
  expect(digests(salt("ab"), [1, 2, 3, 258, 0, 0, 70_000, 5])).toEqual([
    first.toString("hex"),
    second.toString("hex"),
  ]);
});

test("tokens that come later change no digest", () => {
  const chain = new PrefixChain(salt(""), 2);
  const first = chain.digestOf(0, [1, 2, 3]);
  chain.digestOf(1, [1, 2, 3, 4]);
  expect(chain.digestOf(0, [1, 2, 3, 4])).toBe(first);
  expect(() => chain.digestOf(2, [1, 2, 3, 4, 5])).toThrow(/not full/);
});

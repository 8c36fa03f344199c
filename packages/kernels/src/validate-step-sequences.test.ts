import { toBlockId } from "@octet/core";
import { expect, test } from "vitest";
import { tinyModel } from "./conformance/tiny-model.ts";
import { validateStepSequences } from "./validate-step-sequences.ts";

const limits = { model: tinyModel({ vocabSize: 101 }), numBlocks: 4, blockSizeTokens: 16 };
const sequence = (tokens: number[], startPosition: number, blocks: number[]) => ({
  tokenIds: Int32Array.from(tokens),
  startPosition,
  blockTable: blocks.map(toBlockId),
  logits: "last" as const,
});

test("a refused token is not named, as it is the user's text", () => {
  const bad = sequence([5, 4242], 0, [0]);
  expect(() => validateStepSequences([bad], limits)).toThrow(
    "sequence 0: its token 1 is outside the vocabulary of 101",
  );
  expect(() => validateStepSequences([bad], limits)).not.toThrow("4242");
});

test("a refused block table says how many blocks were expected and found", () => {
  expect(() => validateStepSequences([sequence([1, 2], 31, [0, 1])], limits)).toThrow(
    "sequence 0: 33 positions need 3 blocks of 16 tokens, found 2",
  );
});

test("sequences may share blocks neither writes, and hold blocks not used yet", () => {
  const a = sequence([1], 16, [0, 1, 3, 3]);
  const b = sequence([1], 16, [0, 2]);
  expect(() => validateStepSequences([a, b], limits)).not.toThrow();
});

test("a block that one sequence writes may not be read by another", () => {
  const writer = sequence([1], 8, [0]);
  const reader = sequence([1], 16, [0, 1]);
  expect(() => validateStepSequences([reader, writer], limits)).toThrow(
    "block 0 is written by sequence 1 and used by sequence 0",
  );
});

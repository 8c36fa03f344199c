import { expect, test } from "vitest";
import { Answer, type AnswerStep, type StreamDecoder } from "./answer.ts";
import type { StopParams } from "./stop-params.ts";

const eos = 2;

/** Token n is the nth piece; a piece "(x" waits for the next token, as half a character would. */
function pieceDecoder(pieces: Readonly<Record<number, string>>): StreamDecoder {
  let waiting = "";
  return {
    push(tokenId) {
      const text = waiting + pieces[tokenId]!;
      waiting = text.startsWith("(") && !text.endsWith(")") ? text : "";
      return waiting === "" ? text : "";
    },
    flush: () => waiting,
  };
}

function answer(tokenIds: readonly number[], stop: Partial<StopParams>) {
  const pieces = { 2: "</s>", 3: "ab", 4: "cd", 5: "(e", 6: ")" };
  const sequence = new Answer({
    stop: {
      ...{ maxTokens: 99, strings: [], ignoreEos: false },
      ...{ tokenIds: [], minTokens: 0, includeStopString: false },
      ...stop,
    },
    eosTokenIds: [eos],
    decoder: pieceDecoder(pieces),
  });
  const steps: AnswerStep[] = [];
  for (const tokenId of tokenIds) {
    steps.push(sequence.push(tokenId));
    if (steps.at(-1)!.finish !== undefined) break;
  }
  const finish = steps.at(-1)!.finish;
  return { texts: steps.map((step) => step.text), finish, numTokens: sequence.numTokens };
}

test("an end-of-sequence token ends the answer, counts, and shows no text", () => {
  expect(answer([3, eos, 4], {})).toEqual({
    texts: ["ab", ""],
    finish: { reason: "end-of-sequence" },
    numTokens: 2,
  });
});

test("with ignoreEos the answer goes on after it", () => {
  expect(answer([3, eos, 4], { ignoreEos: true, maxTokens: 3 })).toEqual({
    texts: ["ab", "</s>", "cd"],
    finish: { reason: "length" },
    numTokens: 3,
  });
});

test("a stop string that spans tokens is held back and never shown", () => {
  expect(answer([3, 4, 3], { strings: ["bc"] })).toEqual({
    texts: ["a", ""],
    finish: { reason: "stop", stopString: "bc" },
    numTokens: 2,
  });
});

test("text held back for a stop string that never comes is shown at the end", () => {
  expect(answer([3, eos], { strings: ["bx"] }).texts).toEqual(["a", "b"]);
  expect(answer([3, 3], { strings: ["bx"], maxTokens: 2 }).texts).toEqual(["a", "bab"]);
});

test("an incomplete character is flushed at the end, and may complete a stop string", () => {
  expect(answer([5], { maxTokens: 1 }).texts).toEqual(["(e"]);
  expect(answer([3, 5], { maxTokens: 2, strings: ["b(e"] })).toEqual({
    texts: ["a", ""],
    finish: { reason: "stop", stopString: "b(e" },
    numTokens: 2,
  });
});

test("a stop string in the last allowed token wins over length", () => {
  expect(answer([3], { maxTokens: 1, strings: ["b"] }).finish).toEqual({
    reason: "stop",
    stopString: "b",
  });
});

test("a stop token ends the answer, counts, and shows no text; held text is shown", () => {
  expect(answer([3, 4, 3], { tokenIds: [4], strings: ["bx"] })).toEqual({
    texts: ["a", "b"],
    finish: { reason: "stop", stopTokenId: 4 },
    numTokens: 2,
  });
});

test("an end-of-sequence token that is a stop token too is the model's end, unless ignored", () => {
  expect(answer([eos], { tokenIds: [eos] }).finish).toEqual({ reason: "end-of-sequence" });
  expect(answer([eos], { tokenIds: [eos], ignoreEos: true }).finish).toEqual({
    reason: "stop",
    stopTokenId: eos,
  });
});

test("a stop string complete before minTokens is text; one complete by then ends the answer", () => {
  expect(answer([3, 3, 3, 3], { strings: ["ab"], minTokens: 3 })).toEqual({
    texts: ["ab", "ab", ""],
    finish: { reason: "stop", stopString: "ab" },
    numTokens: 3,
  });
  // It may have begun before: what it begins with is held back then already.
  expect(answer([3, 4], { strings: ["bc", "b"], minTokens: 2 })).toEqual({
    texts: ["a", ""],
    finish: { reason: "stop", stopString: "bc" },
    numTokens: 2,
  });
});

test("the stop string is part of the text if it is to be", () => {
  expect(answer([3, 4], { strings: ["bc"], includeStopString: true })).toEqual({
    texts: ["a", "bc"],
    finish: { reason: "stop", stopString: "bc" },
    numTokens: 2,
  });
  const flushed = { maxTokens: 2, strings: ["b(e"], includeStopString: true };
  expect(answer([3, 5], flushed).texts).toEqual(["a", "b(e"]);
});

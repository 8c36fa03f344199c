import { expect, test } from "vitest";
import {
  type StreamTokens,
  timeAnswers,
  timeDecode,
  timePrefill,
} from "./generate-side-by-side.ts";

/** Gives the deltas of each prompt, found by its first token, and writes down who gave one. */
function scripted(script: Readonly<Record<number, readonly (readonly number[])[]>>) {
  const given: number[] = [];
  const stream: StreamTokens = async function* ([first]) {
    for (const delta of script[first!]!) {
      await new Promise((resolve) => setImmediate(resolve));
      given.push(first!);
      yield delta;
    }
  };
  return { given, stream };
}

test("the clock starts when the last sequence has its first token, however deltas are cut", async () => {
  // The second sequence says nothing at first, and then two tokens at once.
  const { given, stream } = scripted({ 1: [[5], [6], [7]], 2: [[], [], [8, 9], [10]] });
  let givenBefore: number[] = [];
  const result = await timeDecode(
    stream,
    { prompts: [[1], [2]], steps: 2 },
    {
      onDecoding: () => {
        givenBefore = [...given];
      },
    },
  );
  expect(result.tokenIds).toEqual([
    [5, 6, 7],
    [8, 9, 10],
  ]);
  expect(givenBefore.filter((prompt) => prompt === 2)).toHaveLength(3);
  expect(given.filter((prompt) => prompt === 2)).toHaveLength(4);
});

test("an answer that is too short is no measurement", async () => {
  const short = scripted({ 1: [[5], [6]] });
  const decode = timeDecode(short.stream, { prompts: [[1]], steps: 2 });
  await expect(decode).rejects.toThrow(/expected 3 tokens, found 2/);
  const silent = scripted({ 1: [[]] });
  await expect(timePrefill(silent.stream, [1])).rejects.toThrow(/without a token/);
});

test("a prefill ends with the first token", async () => {
  const { stream } = scripted({ 1: [[], [5]] });
  expect(await timePrefill(stream, [1])).toMatchObject({ tokenId: 5 });
});

test("whole answers are all of their tokens, however deltas are cut", async () => {
  const { stream } = scripted({ 1: [[5], [6, 7]], 2: [[], [8], [9], [10]] });
  const { tokenIds } = await timeAnswers(stream, { prompts: [[1], [2]], steps: 2 });
  expect(tokenIds).toEqual([
    [5, 6, 7],
    [8, 9, 10],
  ]);
  await expect(timeAnswers(stream, { prompts: [[1]], steps: 3 })).rejects.toThrow(/expected 4/);
});

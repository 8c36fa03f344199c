import { expect, test } from "vitest";
import type { StreamTokens } from "./generate-side-by-side.ts";
import { timeTokenGaps } from "./time-token-gaps.ts";

/** Gives a token to everybody who waits, in turn; prompt 9 is given its only one after `arrivalTurns`. */
function turns(arrivalTurns: number) {
  const asked: number[] = [];
  const stream: StreamTokens = async function* ([first], maxTokens) {
    asked.push(first!);
    if (first === 9) {
      for (let turn = 0; turn < arrivalTurns; turn++) await nextTurn();
      yield [90];
      return;
    }
    for (let token = 0; token < maxTokens; token++) {
      await nextTurn();
      yield [first! * 10 + token];
      // As when a decoder holds a character back.
      yield [];
    }
  };
  return { asked, stream };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test("every gap after all have begun is seen, and the prompt arrives then", async () => {
  const { asked, stream } = turns(2);
  const request = { prompts: [[1], [2]], steps: 5, arrival: [9] };
  const { gapsMs, arrivalMs, tokenIds } = await timeTokenGaps(stream, request);
  expect(gapsMs).toHaveLength(2 * 5);
  expect(arrivalMs).toBeGreaterThan(0);
  expect(asked).toEqual([1, 2, 9]);
  expect(tokenIds).toEqual([[10, 11, 12, 13, 14, 15], [20, 21, 22, 23, 24, 25], [90]]);
});

test("answers that end before the prompt was read say nothing about it", async () => {
  const { stream } = turns(50);
  const request = { prompts: [[1], [2]], steps: 5, arrival: [9] };
  await expect(timeTokenGaps(stream, request)).rejects.toThrow(/ended before the prompt/);
});

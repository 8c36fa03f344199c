import fc from "fast-check";
import { expect, test } from "vitest";
import { GuessOdds } from "./guess-odds.ts";

const guessOf = (tokenIds: number[], runLength = 4) => ({ tokenIds, runLength });

test("odds follow what guesses are worth, and forget what they were", () => {
  const odds = new GuessOdds();
  const guess = guessOf([1, 2, 3]);
  expect(odds.of(guess)).toBe(0.5);
  for (let i = 0; i < 10; i++) odds.judge(guess, [1, 2, 3, 4]);
  expect(odds.of(guess)).toBeGreaterThan(0.95);
  for (let i = 0; i < 20; i++) odds.judge(guess, [7]);
  expect(odds.of(guess)).toBeLessThan(0.1);
  for (let i = 0; i < 20; i++) odds.judge(guess, [1]);
  expect(odds.of(guess)).toBeGreaterThan(0.9);
});

test("runs of one length say nothing of others, and what follows a mistake says nothing", () => {
  const odds = new GuessOdds();
  odds.judge(guessOf([1, 2], 2), [1, 2]);
  expect(odds.of(guessOf([1], 3))).toBe(0.5);
  const one = new GuessOdds();
  one.judge(guessOf([1]), [2]);
  const all = new GuessOdds();
  all.judge(guessOf([1, 5, 6]), [2, 5, 6]);
  expect(all.of(guessOf([1]))).toBe(one.of(guessOf([1])));
});

test("of guesses that are right so often, the odds are about so high", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.05, max: 0.95, noNaN: true }), (share) => {
      const odds = new GuessOdds();
      let numRight = 0;
      let sum = 0;
      for (let i = 1; i <= 400; i++) {
        const isRight = numRight < share * i;
        numRight += Number(isRight);
        odds.judge(guessOf([1]), [isRight ? 1 : 2]);
        sum += odds.of(guessOf([1]));
      }
      expect(Math.abs(sum / 400 - share)).toBeLessThan(0.1);
    }),
  );
});

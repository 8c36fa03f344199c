import assert from "node:assert/strict";
import fc from "fast-check";
import { expect, test } from "vitest";
import { logprobsOf, PromptScore } from "./logprobs.ts";

const logit = fc.oneof(
  fc.constantFrom(-0, 0, 1, 1, -3),
  fc.float({ min: -80, max: 80, noNaN: true }),
);
const row = fc.array(logit, { minLength: 1, maxLength: 40 }).map((l) => Float32Array.from(l));

test("logprobs are the logarithms of the softmax, ranked by it", () => {
  fc.assert(
    fc.property(row, fc.nat(), fc.nat({ max: 20 }), (logits, some, numTop) => {
      const tokenId = some % logits.length;
      const total = Array.from(logits, (l) => Math.exp(l)).reduce((a, b) => a + b);
      const ranked = Array.from(logits, (l, id) => ({ id, p: Math.exp(l) / total, l })).sort(
        (a, b) => b.l - a.l || a.id - b.id,
      );
      const { chosen, rank, top } = logprobsOf(logits, tokenId, numTop);
      assert.equal(chosen.tokenId, tokenId);
      assert.equal(ranked[rank - 1]!.id, tokenId);
      const best = ranked.slice(0, numTop);
      assert.deepEqual(
        top.map((t) => t.tokenId),
        best.map(({ id }) => id),
      );
      for (const [i, { logprob }] of top.entries()) {
        assert(Math.abs(logprob - Math.log(best[i]!.p)) < 1e-9);
      }
      assert(Math.abs(chosen.logprob - Math.log(ranked[rank - 1]!.p)) < 1e-9);
    }),
    { numRuns: 1000 },
  );
});

test("logits whose exponentials overflow have logprobs all the same", () => {
  const { chosen, top } = logprobsOf(Float32Array.of(3e38, 3e38, -3e38), 1, 1);
  expect(chosen.logprob).toBeCloseTo(-Math.log(2), 12);
  expect(top).toEqual([{ tokenId: 0, logprob: chosen.logprob }]);
});

test("a prompt is scored once, however its chunks are cut and computed again", async () => {
  const V = 5;
  const numTokens = 9;
  const rows = Float32Array.from({ length: numTokens * V }, (_, i) => Math.sin(i));
  const prompt = Int32Array.from({ length: numTokens }, (_, i) => (i * 3) % V);
  const chunk = (start: number, end: number) => rows.subarray(start * V, end * V);
  const whole = await new PromptScore(prompt, 2).score(rows, 0, V);
  expect(whole.map(({ chosen }) => chosen.tokenId)).toEqual([...prompt.subarray(1)]);
  expect(whole[3]).toEqual(logprobsOf(chunk(3, 4), prompt[4]!, 2));
  const cut = new PromptScore(prompt, 2);
  const scores = await cut.score(chunk(0, 4), 0, V);
  expect(cut.needs(3)).toBe(false); // from the first token again: these are known
  expect(cut.needs(5)).toBe(true);
  scores.push(...(await cut.score(chunk(0, 6), 0, V)), ...(await cut.score(chunk(6, 9), 6, V)));
  expect(scores).toEqual(whole);
  expect(cut.needs(99)).toBe(false);
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { expect, test } from "vitest";
import { AdjustScratch, adjustLogits } from "./adjust-logits.ts";
import { resolveSampling, type SamplingRequest } from "./sampling-params.ts";
import { TokenCounts } from "./token-counts.ts";

const V = 12;
const tokenId = fc.nat({ max: V - 1 });
const logit = fc.oneof(
  fc.constantFrom(-0, 0, 1, -1, 3.4e38, -3.4e38),
  fc.float({ min: -40, max: 40, noNaN: true }),
);
const row = fc.array(logit, { minLength: V, maxLength: V }).map((l) => Float32Array.from(l));
const penalty = fc.oneof(fc.constant(0), fc.double({ min: -2, max: 2, noNaN: true }));
const request: fc.Arbitrary<SamplingRequest> = fc.record({
  repetitionPenalty: fc.constantFrom(1, 0.5, 1.3, 1e-40, 1e40),
  presencePenalty: penalty,
  frequencyPenalty: penalty,
  logitBias: fc
    .dictionary(tokenId.map(String), fc.double({ min: -100, max: 100, noNaN: true }))
    .map((biases) => Object.entries(biases).map(([id, bias]) => [Number(id), bias] as const)),
  allowedTokenIds: fc.option(fc.array(tokenId, { minLength: 1 }), { nil: undefined }),
});
const history = fc.record({ prompt: fc.array(tokenId), answer: fc.array(tokenId) });
const mask = fc.option(
  fc.nat({ max: 2 ** V - 1 }).map((bits) => Uint32Array.of(bits | (2 ** 31))),
  { nil: undefined },
);
const barredIds = fc.array(tokenId, { maxLength: 4 }).map((ids) => new Set(ids));

const resolve = (some: SamplingRequest) =>
  resolveSampling(some, { chooseSeed: () => 0n, vocabSize: V });
const f32Max = 3.4028234663852886e38;
const f32 = (value: number) => Math.fround(Math.min(f32Max, Math.max(-f32Max, value)));

/** One token at a time, counting the whole history for each; undefined if it may not come. */
function adjustTwin(
  id: number,
  raw: number,
  asked: SamplingRequest,
  past: {
    prompt: number[];
    answer: number[];
    barred: ReadonlySet<number>;
    mask: Uint32Array | undefined;
  },
): number | undefined {
  if (past.barred.has(id)) return undefined;
  if (past.mask !== undefined && Math.floor(past.mask[0]! / 2 ** id) % 2 === 0) return undefined;
  if (asked.allowedTokenIds?.includes(id) === false) return undefined;
  let value = raw;
  for (const [biased, bias] of asked.logitBias ?? []) if (biased === id) value = f32(value + bias);
  const factor = asked.repetitionPenalty!;
  if ([...past.prompt, ...past.answer].includes(id)) {
    value = value > 0 ? f32(value / factor) : f32(value * factor);
  }
  const count = past.answer.filter((said) => said === id).length;
  value = f32(value - asked.frequencyPenalty! * count);
  return count > 0 ? f32(value - asked.presencePenalty!) : value;
}

test("adjusting a row equals adjusting each token by itself", () => {
  const scratch = new AdjustScratch(V); // one for all rows: nothing may be left from the last
  fc.assert(
    fc.property(row, request, history, barredIds, mask, (raw, asked, said, barred, bits) => {
      const { prompt, answer } = said;
      const twin = (past: { barred: ReadonlySet<number> }) =>
        Array.from(raw, (value, id) => ({
          id,
          value: adjustTwin(id, value, asked, { prompt, answer, mask: bits, ...past }),
        })).filter(({ value }) => value !== undefined);
      const unbarred = twin({ barred: new Set() });
      const want = twin({ barred }).length > 0 ? twin({ barred }) : unbarred;
      const before = raw.slice();
      const counts = new TokenCounts(prompt, prompt.length);
      for (const id of answer) counts.push(id);
      const adjust = () =>
        adjustLogits(raw, { params: resolve(asked), counts, barred, mask: bits }, scratch);
      if (want.length === 0) {
        assert.throws(adjust, {
          code: asked.allowedTokenIds ? "invalid-argument" : "constraint-failed",
        });
        return;
      }
      const { logits, tokenIds } = adjust();
      assert.deepEqual(raw, before);
      const ids = tokenIds === undefined ? Array.from(raw, (_, id) => id) : Array.from(tokenIds);
      assert.deepEqual(
        ids,
        want.map(({ id }) => id),
      );
      assert.deepEqual(
        Array.from(logits, (v) => v + 0),
        want.map(({ value }) => value! + 0),
      );
    }),
    { numRuns: 2000 },
  );
});

test("counts of a whole history are those of its tokens one by one", () => {
  fc.assert(
    fc.property(history, ({ prompt, answer }) => {
      const whole = new TokenCounts([...prompt, ...answer], prompt.length);
      const grown = new TokenCounts(prompt, prompt.length);
      for (const id of answer) grown.push(id);
      assert.deepEqual(whole, grown);
    }),
  );
});

test("nothing asked for, nothing copied", () => {
  const raw = new Float32Array(V);
  const adjustment = {
    params: resolve({}),
    counts: undefined,
    barred: new Set<number>(),
    mask: undefined,
  };
  expect(adjustLogits(raw, adjustment, new AdjustScratch(V)).logits).toBe(raw);
});

import { replyDtype, toExpertId } from "@octet/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ExpertOutput, LayerDispatch } from "../attention-engine.ts";
import { decodeActivations, encodeActivations } from "./activation-rows.ts";
import { combine } from "./combine.ts";
import { dispatch } from "./dispatch.ts";
import { selectExperts } from "./select-experts.ts";

const H = 8;
const numExperts = H; // so that a token can serve as its own logits
const value = fc.float({ noNaN: true, min: -8, max: 8 });
const hiddenRows = fc
  .array(fc.array(value, { minLength: H, maxLength: H }), { minLength: 1, maxLength: 9 })
  .map((rows) => Float32Array.from(rows.flat()));
const numExpertsPerToken = fc.integer({ min: 1, max: numExperts });

function route(hidden: Float32Array, K: number): LayerDispatch {
  const selection = selectExperts(hidden, { numExperts, numExpertsPerToken: K });
  const shape = { hiddenSize: H, numExperts, dtype: "f32" } as const;
  return { batches: dispatch(hidden, selection.expertIds, shape), ...selection };
}

function identityOutputs({ batches }: LayerDispatch): ExpertOutput[] {
  return batches.map(({ expertId, input }) => ({ expertId, output: input }));
}

test("combine undoes dispatch when every expert is the identity", () => {
  fc.assert(
    fc.property(hiddenRows, numExpertsPerToken, (hidden, K) => {
      const layer = route(hidden, K);
      const shape = { numTokens: hidden.length / H, hiddenSize: H };
      const back = combine(layer, identityOutputs(layer), shape);
      back.forEach((x, i) => {
        expect(Math.abs(x - hidden[i]!)).toBeLessThanOrEqual(2e-6 * (1 + Math.abs(hidden[i]!)));
      });
    }),
  );
});

test("dispatch sends each token once to each expert it chose, and nothing else", () => {
  fc.assert(
    fc.property(hiddenRows, numExpertsPerToken, (hidden, K) => {
      const { batches, expertIds } = route(hidden, K);
      const sent = batches.flatMap(({ expertId, tokenIndex }) =>
        Array.from(tokenIndex, (token) => `${token} to ${expertId}`),
      );
      const chosen = Array.from(expertIds, (id, i) => `${Math.floor(i / K)} to ${id}`);
      expect(sent.toSorted()).toEqual(chosen.toSorted());
      for (const { input, tokenIndex } of batches) {
        expect(tokenIndex.length).toBeGreaterThan(0);
        expect([...tokenIndex]).toEqual([...tokenIndex].toSorted((a, b) => a - b));
        const rows = decodeActivations(input);
        tokenIndex.forEach((token, row) => {
          const sentRow = Float32Array.from(rows.subarray(row * H, (row + 1) * H));
          expect(sentRow).toEqual(hidden.slice(token * H, (token + 1) * H));
        });
      }
      const ids = batches.map(({ expertId }) => expertId);
      expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    }),
  );
});

test("combine adds in ascending expert id, rounding each sum to f32", () => {
  // From 0: 2^24, then + 1 twice, each lost to rounding. In falling order 2 would survive.
  const outputs = [2 ** 24, 1, 1].map((x, id) => ({
    expertId: toExpertId(id, 3),
    output: encodeActivations(Float32Array.of(x), 1, replyDtype("f32")),
  }));
  const layer: LayerDispatch = {
    batches: outputs.map(({ expertId, output }) => ({
      expertId,
      input: output,
      tokenIndex: Int32Array.of(0),
    })),
    expertIds: Int32Array.of(2, 0, 1),
    combineWeights: Float32Array.of(1, 1, 1),
  };
  expect([...combine(layer, outputs, { numTokens: 1, hiddenSize: 1 })]).toEqual([2 ** 24]);
});

test("combine gives each expert's output that expert's weight", () => {
  const output = (id: number, x: number) => ({
    expertId: toExpertId(id, 8),
    output: encodeActivations(Float32Array.of(x), 1, "bf16"),
  });
  const outputs = [output(3, 8), output(5, 16)];
  const layer: LayerDispatch = {
    batches: outputs.map(({ expertId, output: input }) => ({
      expertId,
      input,
      tokenIndex: Int32Array.of(0),
    })),
    expertIds: Int32Array.of(5, 3), // by falling logit, so not in ascending id
    combineWeights: Float32Array.of(0.75, 0.25),
  };
  expect([...combine(layer, outputs, { numTokens: 1, hiddenSize: 1 })]).toEqual([14]);
});

// What a request asks to be told, through the whole engine.
import { expect, test } from "vitest";
import { generate, openToyEngine, type ToyAnswer, type ToyRequest } from "./fixture/toy-engine.ts";
import { toyModel } from "./fixture/toy-model.ts";

const promptTokenIds = Array.from({ length: 20 }, (_, i) => (3 + i * 5) % 29);
const base: ToyRequest = {
  promptTokenIds,
  sampling: { temperature: 2, seed: 5n },
  stop: { maxTokens: 9, ignoreEos: true },
};

const deltas = ({ events }: ToyAnswer) => events.filter((event) => event.kind === "delta");
const promptScores = ({ events }: ToyAnswer) =>
  events.filter((event) => event.kind === "prompt-logprobs").flatMap(({ tokens }) => tokens);

test("what is reported changes no token, and none is reported that was not asked for", async () => {
  const plain = await generate(openToyEngine().engine, base);
  const output = { topLogprobs: 2, promptTopLogprobs: 0, routedExperts: true, progress: true };
  const told = await generate(openToyEngine().engine, { ...base, output });
  expect(told.tokenIds).toEqual(plain.tokenIds);
  expect(told.text).toBe(plain.text);
  expect(plain.events.map(({ kind }) => kind)).not.toContain("progress");
  expect(promptScores(plain)).toEqual([]);
  expect(deltas(plain).flatMap(({ logprobs }) => logprobs)).toEqual([]);
  expect(plain.finished?.routedExperts).toBeUndefined();
});

test("each token has its logprobs, which are the model's and not the sampler's", async () => {
  const output = { topLogprobs: 3 };
  const asked = { ...base.sampling, logitBias: [[7, 100]] as const, temperature: 0.3 };
  const biased = await generate(openToyEngine().engine, { ...base, sampling: asked, output });
  expect(new Set(biased.tokenIds)).toEqual(new Set([7]));
  for (const delta of deltas(biased)) {
    expect(delta.logprobs.map(({ chosen }) => chosen.tokenId)).toEqual(delta.tokenIds);
    for (const { chosen, rank, top } of delta.logprobs) {
      expect(top).toHaveLength(3);
      expect(chosen.logprob).toBeLessThanOrEqual(top[0]!.logprob);
      if (rank > 3) expect(top.map(({ tokenId }) => tokenId)).not.toContain(7);
      else expect(top[rank - 1]).toEqual(chosen);
    }
  }
});

test("tokens that are named have their logprobs in place of the likeliest", async () => {
  const named = [28, 0, 7];
  const output = { topLogprobs: 0, logprobTokenIds: named };
  const said = await generate(openToyEngine().engine, { ...base, output });
  const all = await generate(openToyEngine().engine, { ...base, output: { topLogprobs: 20 } });
  const listed = deltas(all).flatMap(({ logprobs }) => logprobs);
  expect(said.tokenIds).toEqual(all.tokenIds);
  deltas(said)
    .flatMap(({ logprobs }) => logprobs)
    .forEach(({ top, ...rest }, i) => {
      expect(rest).toEqual({ chosen: listed[i]!.chosen, rank: listed[i]!.rank });
      expect(top.map(({ tokenId }) => tokenId)).toEqual(named);
      const known = top.filter(({ tokenId }) => listed[i]!.top.some((t) => t.tokenId === tokenId));
      expect(listed[i]!.top).toEqual(expect.arrayContaining(known));
    });
});

test("an answer's logprobs are its tokens' when they are a prompt, with and without chunks", async () => {
  const output = { topLogprobs: 3, promptTopLogprobs: 3 };
  const said = await generate(openToyEngine().engine, { ...base, output });
  const scored = { ...base, promptTokenIds: [...promptTokenIds, ...said.tokenIds], output };
  for (const stepTokensMax of [512, 7]) {
    const limits = { stepTokensMax, activeSequencesMax: 4 };
    const { engine } = openToyEngine({ limits });
    const score = await generate(engine, { ...scored, stop: { maxTokens: 0 } });
    expect(score.finished).toMatchObject({
      reason: "length",
      usage: { promptTokens: 29, completionTokens: 0, cachedPromptTokens: 0 },
    });
    expect(deltas(score)).toEqual([]);
    const all = promptScores(score);
    expect(all.map(({ chosen }) => chosen.tokenId)).toEqual(scored.promptTokenIds.slice(1));
    expect(all.slice(promptTokenIds.length - 1)).toEqual(
      deltas(said).flatMap(({ logprobs }) => logprobs),
    );
    // Again, when the prefix cache could have had it.
    const again = await generate(engine, { ...scored, stop: { maxTokens: 0 } });
    expect(promptScores(again)).toEqual(all);
    expect(engine.load().activeSequences).toBe(0);
  }
});

test("routed experts are those of all tokens but the last, however they came to be computed", async () => {
  const output = { routedExperts: true };
  const { engine } = openToyEngine();
  const said = await generate(engine, { ...base, output });
  const routed = said.finished!.routedExperts!;
  const { numLayers, numExpertsPerToken } = toyModel;
  expect(routed).toMatchObject({ numTokens: 28, numLayers, numExpertsPerToken });
  expect(routed.expertIds).toHaveLength(28 * numLayers * numExpertsPerToken);
  const limits = { stepTokensMax: 5, activeSequencesMax: 4 };
  const cut = openToyEngine({ limits }).engine;
  const [alone] = await Promise.all([
    generate(cut, { ...base, output }),
    generate(cut, { ...base, promptTokenIds: promptTokenIds.slice(3) }),
  ]);
  expect(alone!.finished?.routedExperts).toEqual(routed);
  // As a prompt; and again, when the prefix cache could have had it.
  for (let i = 0; i < 2; i++) {
    const asPrompt = await generate(engine, {
      promptTokenIds: [...promptTokenIds, ...said.tokenIds.slice(0, -1)],
      stop: { maxTokens: 1 },
      output,
    });
    expect(asPrompt.finished?.routedExperts).toEqual(routed);
  }
});

test("progress goes up to the whole prompt, chunk by chunk, and counts what was cached", async () => {
  const limits = { stepTokensMax: 7, activeSequencesMax: 4 };
  const { engine } = openToyEngine({ limits });
  const progress = async () =>
    (await generate(engine, { ...base, output: { progress: true } })).events
      .filter((event) => event.kind === "progress")
      .map(({ promptTokens, cachedTokens, computedTokens }) => [
        promptTokens,
        cachedTokens,
        computedTokens,
      ]);
  expect((await progress()).at(-1)).toEqual([20, 0, 20]);
  expect((await progress()).at(-1)).toEqual([20, 16, 20]);
});

test("logprobs out of range and answers of nothing are refused", () => {
  const ask = (request: Partial<ToyRequest>) => () =>
    generate(openToyEngine().engine, { ...base, ...request });
  for (const found of [-1, 21, 1.5, Number.NaN]) {
    expect(ask({ output: { topLogprobs: found } })).toThrow(/topLogprobs: expected 0 .. 20/);
    expect(ask({ output: { promptTopLogprobs: found } })).toThrow(/promptTopLogprobs: expected/);
  }
  const named = (output: ToyRequest["output"]) => ask({ output });
  expect(named({ logprobTokenIds: [1] })).toThrow(/expected topLogprobs 0 beside it, found undef/);
  expect(named({ topLogprobs: 1, logprobTokenIds: [1] })).toThrow(
    /topLogprobs 0 beside it, found 1/,
  );
  expect(named({ topLogprobs: 0, logprobTokenIds: [29] })).toThrow(/token ids below 29/);
  expect(named({ topLogprobs: 0, logprobTokenIds: Array(1025).fill(1) })).toThrow(/at most 1024/);
  expect(ask({ stop: { maxTokens: 0 }, output: { topLogprobs: 1 } })).toThrow(/maxTokens/);
});

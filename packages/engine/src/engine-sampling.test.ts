// What a request asks of sampling, through the whole engine.
import { expect, test } from "vitest";
import { generate, openToyEngine, type ToyRequest } from "./fixture/toy-engine.ts";

const eos = 2;
const base: ToyRequest = {
  promptTokenIds: [3, 8, 13, 18, 3],
  sampling: { temperature: 2, seed: 5n },
  stop: { maxTokens: 16, ignoreEos: true },
};

/** Words of one token twice, below `end`: no token follows itself. */
function everyPair(end: number): number[][] {
  return Array.from({ length: end }, (_, id) => [id, id]);
}

const asked: Record<string, ToyRequest["sampling"]> = {
  plain: {},
  "a repetition penalty": { repetitionPenalty: 1.8 },
  "a presence penalty": { presencePenalty: 1.5 },
  "a frequency penalty": { frequencyPenalty: 1.2 },
  "a bias": {
    logitBias: [
      [4, 3],
      [5, -100],
    ],
  },
  "bad words": { badWords: [[3], [4], [5, 6], [9, 20, 21], ...everyPair(29)] },
  "few tokens": { allowedTokenIds: [4, 9, 20, 21, 28] },
};

test.for(Object.entries(asked))(
  "%s: a resumed sequence goes on as it would have",
  async ([, sampling]) => {
    const request = { ...base, sampling: { ...base.sampling, ...sampling } };
    const whole = await generate(openToyEngine().engine, request);
    expect(whole.tokenIds).toHaveLength(16);
    for (const said of [1, 7, 15]) {
      const resumed = await generate(openToyEngine().engine, {
        ...request,
        promptTokenIds: [...Array.from(base.promptTokenIds), ...whole.tokenIds.slice(0, said)],
        answerStart: base.promptTokenIds.length,
      });
      expect(resumed.error).toBeUndefined();
      expect(resumed.tokenIds).toEqual(whole.tokenIds.slice(said));
      expect(resumed.text).toBe(whole.text.slice(said));
      expect(resumed.finished?.usage).toEqual(whole.finished?.usage);
    }
  },
);

test("each parameter changes the answer, and does what it says", async () => {
  const answers = new Map<string, readonly number[]>();
  for (const [name, sampling] of Object.entries(asked)) {
    const request = { ...base, sampling: { ...base.sampling, ...sampling } };
    answers.set(name, (await generate(openToyEngine().engine, request)).tokenIds);
  }
  expect(new Set(Array.from(answers.values(), String)).size).toBe(answers.size);
  expect(answers.get("a bias")).not.toContain(5);
  expect(String(answers.get("bad words"))).not.toMatch(/\b(3|4|5,6|9,20,21|(\d+),\2)\b/);
  const few = new Set(answers.get("few tokens"));
  expect(few.isSubsetOf(new Set([4, 9, 20, 21, 28]))).toBe(true);
});

test("nothing ends an answer before minTokens; the first that may, does", async () => {
  // Every second token is one that ends the answer, as soon as it may.
  const tokenIds = Array.from({ length: 14 }, (_, i) => 2 * i);
  const few = { ...base, stop: { tokenIds, maxTokens: 60, strings: ["a", "c", "g"] } };
  for (const temperature of [0, 2]) {
    for (const minTokens of [1, 2, 9]) {
      const sampling = { temperature, seed: 3n };
      const stop = { ...few.stop, minTokens };
      const {
        tokenIds: said,
        finished,
        text,
      } = await generate(openToyEngine().engine, {
        ...few,
        ...{ sampling, stop },
      });
      expect(said.length).toBeGreaterThanOrEqual(minTokens);
      expect(said.slice(0, minTokens).filter((id) => tokenIds.includes(id))).toEqual([]);
      if (finished?.stopTokenId === undefined)
        expect(["a", "c", "g"]).toContain(finished?.stopString);
      else expect(said.at(-1)).toBe(finished.stopTokenId);
      expect(text).toHaveLength(said.length - 1);
    }
  }
});

test("tokens that are barred leave the rest as it would be without them", async () => {
  const barred = [4, 9, 20];
  const rest = Array.from({ length: 29 }, (_, id) => id).filter((id) => !barred.includes(id));
  const sampling = { ...base.sampling, topP: 0.8, topK: 9 };
  const bar = { ...base, sampling, stop: { ...base.stop, tokenIds: barred, minTokens: 16 } };
  const allow = { ...base, sampling: { ...sampling, allowedTokenIds: rest } };
  const { tokenIds } = await generate(openToyEngine().engine, bar);
  expect(tokenIds).toEqual((await generate(openToyEngine().engine, allow)).tokenIds);
});

test("minTokens that no allowed token could reach are refused", () => {
  const sampling = { allowedTokenIds: [7, eos] };
  const ask = (stop: ToyRequest["stop"]) => () =>
    generate(openToyEngine().engine, { ...base, sampling, stop });
  expect(ask({ minTokens: 1, tokenIds: [7] })).toThrow(
    expect.objectContaining({ code: "invalid-argument", field: "sampling.allowedTokenIds" }),
  );
  expect(ask({ minTokens: 0, tokenIds: [7] })).not.toThrow();
});

test("company changes nothing, adjusted or not, though all share one scratch", async () => {
  const requests = Object.values(asked).map((sampling, i) => ({
    ...base,
    promptTokenIds: Array.from(base.promptTokenIds).slice(i % 3),
    sampling: { ...base.sampling, ...sampling },
  }));
  const { engine } = openToyEngine();
  const together = await Promise.all(requests.map((request) => generate(engine, request)));
  for (const [i, request] of requests.entries()) {
    const alone = await generate(openToyEngine().engine, request);
    expect(together[i]!.tokenIds).toEqual(alone.tokenIds);
  }
});

test("a resumed answer is checked before anything is queued", () => {
  const { engine } = openToyEngine();
  const resume = (request: Partial<ToyRequest>) => () => generate(engine, { ...base, ...request });
  for (const answerStart of [0, 6, 1.5, Number.NaN]) {
    expect(resume({ answerStart })).toThrow(/answerStart: expected 1 .. 5, found/);
  }
  const promptTokenIds = [3, 8, eos, 9];
  expect(resume({ promptTokenIds, answerStart: 1, stop: {} })).toThrow(/answer that goes on/);
  expect(resume({ answerStart: 2, stop: { maxTokens: 3 } })).toThrow(/answer that goes on/);
  expect(engine.load().queuedSequences).toBe(0);
});

test("a word that has to come comes, and one that began before the answer does not count", async () => {
  const ask = async (sampling: ToyRequest["sampling"]) =>
    (
      await generate(openToyEngine().engine, {
        ...base,
        sampling: { ...base.sampling, ...sampling },
      })
    ).tokenIds;
  expect(await ask({ allowedTokenIds: [7], badWords: [[7]] })).toEqual(Array(16).fill(7));
  // The prompt ends with 3.
  expect((await ask({ allowedTokenIds: [7, 8], badWords: [[3, 7], [8]] }))[0]).toBe(7);
});

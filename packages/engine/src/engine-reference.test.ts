// The relations of engine.test.ts, held by real kernels over every weight dtype.
import { weightDtypes } from "@octet/core";
import { expect, test } from "vitest";
import { TinyEngines } from "./fixture/tiny-engine.ts";
import { generate, type ToyAnswer, type ToyRequest } from "./fixture/toy-engine.ts";

const requests: ToyRequest[] = Array.from({ length: 8 }, (_, i) => ({
  promptTokenIds: Array.from({ length: 1 + i * 4 }, (_, j) => (i * 31 + j * 17 + 8) % 101),
  sampling: { temperature: i % 2, topP: 0.9, seed: BigInt(i) },
  stop: { maxTokens: 6 + i, ignoreEos: i !== 5 },
}));

for (const weightDtype of weightDtypes) {
  test(`${weightDtype}: neither company nor chunks nor the cache change a token`, async () => {
    await using engines = await TinyEngines.create("reference", weightDtype);
    const alone: (readonly number[])[] = [];
    for (const request of requests) {
      const { tokenIds, error } = await generate(await engines.open(), request);
      expect(error).toBeUndefined();
      alone.push(tokenIds);
    }
    for (const stepTokensMax of [512, 9]) {
      const engine = await engines.open({ stepTokensMax, activeSequencesMax: 8 });
      const together = await Promise.all(requests.map((request) => generate(engine, request)));
      expect(together.map(({ tokenIds }) => tokenIds)).toEqual(alone);
      engine.checkIntegrity();
    }
    const [prompt, answer] = [requests[3]!.promptTokenIds, alone[3]!];
    const resumed = await generate(await engines.open(), {
      ...requests[3]!,
      promptTokenIds: [...Array.from(prompt), ...answer.slice(0, 4)],
      stop: { maxTokens: answer.length - 4, ignoreEos: true },
    });
    expect(resumed.tokenIds).toEqual(answer.slice(4));
    expect(new Set(alone.map((tokenIds) => tokenIds.join())).size).toBe(requests.length);
  });
}

/** A conversation's turns: each prompt is the last one, its answer, and a few tokens more. */
const turns = Array.from({ length: 4 }, (_, i) => ({
  more: Array.from({ length: 5 + i }, (_, j) => (i * 13 + j * 29 + 3) % 101),
  sampling: { temperature: 1, seed: BigInt(i) },
  stop: { maxTokens: 7, ignoreEos: true },
}));

for (const kind of ["cpu", "reference"] as const) {
  for (const weightDtype of weightDtypes) {
    test(`${kind}, ${weightDtype}: a prefix found in the cache changes no token`, async () => {
      await using engines = await TinyEngines.create(kind, weightDtype);
      const engine = await engines.open();
      let before: number[] = [];
      let cachedTokens = 0;
      for (const { more, ...request } of turns) {
        const promptTokenIds = [...before, ...more];
        const found = await generate(engine, { ...request, promptTokenIds });
        const computed = await generate(engine, {
          ...request,
          promptTokenIds,
          scheduling: { prefixCache: false },
        });
        expect(found.error).toBeUndefined();
        expect(found.tokenIds).toEqual(computed.tokenIds);
        expect(computed.finished!.usage.cachedPromptTokens).toBe(0);
        // Of the turn before, all but the last token has keys and values.
        const expected = Math.floor(Math.max(0, before.length - 1) / 8) * 8;
        expect(found.finished!.usage.cachedPromptTokens).toBe(expected);
        cachedTokens += expected;
        before = [...promptTokenIds, ...found.tokenIds];
      }
      expect(cachedTokens).toBeGreaterThan(50);
      engine.checkIntegrity();
    });
  }
}

for (const kind of ["cpu", "reference"] as const) {
  for (const weightDtype of weightDtypes) {
    test(`${kind}, ${weightDtype}: steps in two halves change no token`, async () => {
      await using engines = await TinyEngines.create(kind, weightDtype);
      const whole = await engines.open();
      const halved = await engines.open({ microBatches: "on", halvedSequencesMin: 2 });
      const [expected, found] = await Promise.all(
        [whole, halved].map((engine) =>
          Promise.all(requests.map((request) => generate(engine, request))),
        ),
      );
      const tokensOf = (answers: typeof found) => answers!.map(({ tokenIds }) => tokenIds);
      expect(tokensOf(found)).toEqual(tokensOf(expected));
      expect(halved.load().halvedSteps).toBeGreaterThan(0);
      expect(whole.load().halvedSteps).toBe(0);
    });
  }
}

/** Prompts that repeat themselves, and answers of few tokens, so that guesses are often right. */
const repeating: ToyRequest[] = Array.from({ length: 8 }, (_, i) => ({
  promptTokenIds: Array.from({ length: 9 + i * 2 }, (_, j) => ((j % (3 + i)) * 7 + i) % 101),
  sampling: {
    temperature: i % 3 === 0 ? 0 : 0.8,
    seed: BigInt(i),
    ...(i % 2 === 0 ? {} : { allowedTokenIds: [8, 9, 10], repetitionPenalty: 1 + i / 20 }),
    ...(i === 2 ? { topK: 2 } : {}),
  },
  stop: { maxTokens: 20 + i, ignoreEos: i !== 5, minTokens: i },
  output: { ...(i > 4 ? { topLogprobs: 2 } : {}), routedExperts: i === 4 },
  scheduling: { prefixCache: i !== 3 },
}));

for (const kind of ["cpu", "reference"] as const) {
  for (const weightDtype of weightDtypes) {
    test(`${kind}, ${weightDtype}: guesses change no bit of what is told`, async () => {
      await using engines = await TinyEngines.create(kind, weightDtype);
      const plain = await engines.open();
      const guessing = await engines.open({ speculation: true, numBlocks: 14 });
      const told = ({ events, tokenIds, finished, error }: ToyAnswer) => ({
        ...{ tokenIds, error, routedExperts: finished?.routedExperts },
        logprobs: events.flatMap((event) => (event.kind === "delta" ? event.logprobs : [])),
      });
      const expected = [];
      for (const request of repeating) expected.push(told(await generate(plain, request)));
      const found = await Promise.all(repeating.map((request) => generate(guessing, request)));
      expect(found.map(told)).toEqual(expected);
      const { drafts, preemptions } = guessing.load();
      expect(drafts.numAccepted).toBeGreaterThan(10);
      expect(drafts.numDrafts).toBeGreaterThan(drafts.numAccepted);
      expect(preemptions).toBeGreaterThan(0);
      guessing.checkIntegrity();
    });
  }
}

// Sequences that outgrow the pool together: who gives way is computed again, and nobody can tell.
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  generate,
  generateAlone,
  openToyEngine,
  toyRequests,
  unheldBlocks,
} from "./fixture/toy-engine.ts";

test("whoever gives way, and however often, all give the tokens they give alone", async () => {
  const requests = toyRequests(10).map((request, i) => ({
    ...request,
    scheduling: { priority: i % 3, clientId: `${i % 2}`, prefixCache: i % 4 !== 0 },
  }));
  const alone = await generateAlone(requests);
  let preemptions = 0;
  const pools = fc.record({
    numBlocks: fc.integer({ min: 9, max: 20 }),
    activeSequencesMax: fc.integer({ min: 2, max: 8 }),
    stepTokensMax: fc.integer({ min: 8, max: 30 }),
  });
  await fc.assert(
    fc.asyncProperty(pools, async ({ numBlocks, ...limits }) => {
      const { engine } = openToyEngine({ numBlocks, limits });
      const answers = await Promise.all(requests.map((request) => generate(engine, request)));
      expect(answers.map(({ tokenIds, error }) => ({ tokenIds, error }))).toEqual(
        alone.map(({ tokenIds }) => ({ tokenIds, error: undefined })),
      );
      engine.checkIntegrity();
      expect(unheldBlocks(engine)).toBe(numBlocks);
      preemptions += engine.load().preemptions;
    }),
    { numRuns: 40 },
  );
  expect(preemptions).toBeGreaterThan(10);
});

test("an answer takes blocks as it grows, not when it begins", async () => {
  const { engine } = openToyEngine({ numBlocks: 16 });
  // Each could fill the pool by itself.
  const requests = [4, 5, 6, 7].map((tokenId) => ({
    promptTokenIds: [tokenId],
    stop: { ignoreEos: true },
  }));
  const answers = requests.map((request) => generate(engine, request));
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  expect(engine.load()).toMatchObject({ activeSequences: 4, queuedSequences: 0 });
  for (const answer of await Promise.all(answers)) {
    expect(answer.finished?.usage.completionTokens).toBe(63);
  }
});

test("a priority or a client that is out of range is refused by name", () => {
  const { engine } = openToyEngine();
  const submit = (scheduling: object) => () =>
    engine.generate({
      promptTokenIds: [3],
      scheduling,
      decoder: { push: () => "", flush: () => "" },
    });
  expect(submit({ priority: 0.5 })).toThrow(/priority: expected an integer of 32 bits, found 0.5/);
  expect(submit({ priority: 2 ** 31 })).toThrow(
    expect.objectContaining({ code: "invalid-argument", field: "scheduling.priority" }),
  );
  expect(submit({ clientId: "c".repeat(257) })).toThrow(/clientId: expected at most 256/);
});

// Prompts that begin alike: what is found, by whom, and that no token changes.
import { KernelError } from "@octet/kernels";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  generate,
  generateAlone,
  openToyEngine,
  type ToyRequest,
  unheldBlocks,
} from "./fixture/toy-engine.ts";

const prompt = Array.from({ length: 19 }, (_, i) => 3 + ((i * 7) % 25));
const stop = { maxTokens: 3, ignoreEos: true };
const request: ToyRequest = { promptTokenIds: prompt, stop, sampling: { seed: 5n } };

async function cachedTokens(engine: ReturnType<typeof openToyEngine>["engine"], more: ToyRequest) {
  return (await generate(engine, more)).finished?.usage.cachedPromptTokens;
}

test("of a prompt that was computed, all whole blocks but the last token's are found", async () => {
  const { engine, attention } = openToyEngine();
  expect(await cachedTokens(engine, request)).toBe(0);
  expect(await cachedTokens(engine, request)).toBe(16);
  expect(attention.stepTokens).toEqual([19, 1, 1, 3, 1, 1]);
  const whole = { ...request, promptTokenIds: prompt.slice(0, 16) };
  expect(await cachedTokens(engine, whole)).toBe(12);
  const other = { ...request, promptTokenIds: [...prompt.slice(0, 9), 4, ...prompt.slice(10)] };
  expect(await cachedTokens(engine, other)).toBe(8);
  expect(engine.load().prefix).toEqual({ queriesTokens: 73, hitsTokens: 36 });
});

test("nothing is found under another salt, or by a request that opts out, nor left by it", async () => {
  const { engine } = openToyEngine();
  const optedOut = { ...request, scheduling: { prefixCache: false } };
  const salted = { ...request, scheduling: { cacheSalt: "tenant" } };
  expect(await cachedTokens(engine, optedOut)).toBe(0);
  expect(await cachedTokens(engine, request)).toBe(0);
  expect(await cachedTokens(engine, optedOut)).toBe(0);
  expect(await cachedTokens(engine, salted)).toBe(0);
  expect(await cachedTokens(engine, salted)).toBe(16);
  expect(await cachedTokens(engine, request)).toBe(16);
});

test("a salt that is too long is refused with both lengths", () => {
  const { engine } = openToyEngine();
  const scheduling = { cacheSalt: "s".repeat(257) };
  const decoder = { push: () => "", flush: () => "" };
  expect(() => engine.generate({ ...request, scheduling, decoder })).toThrow(
    /cacheSalt: expected at most 256 characters, found 257/,
  );
});

test("two who compute one prefix side by side leave it once, and both end well", async () => {
  const { engine } = openToyEngine();
  const [alone] = await generateAlone([request]);
  const both = await Promise.all([generate(engine, request), generate(engine, request)]);
  for (const answer of both) expect(answer.tokenIds).toEqual(alone!.tokenIds);
  engine.checkIntegrity();
  expect(engine.load().cachedBlocks).toBe(5);
});

/** An engine that loses its device, with all that is cached on it, before a layer, and has another. */
function losing(numBlocks: number) {
  const layersUntilLost = { count: Number.POSITIVE_INFINITY };
  let isLost = false;
  const setup = openToyEngine({
    numBlocks,
    beforeLayer: () => {
      if (layersUntilLost.count-- === 0) {
        isLost = true;
        for (const layer of setup.attention.kv) layer.fill(Number.NaN);
      }
      if (isLost) throw new KernelError("device-lost", "on purpose");
    },
  });
  setup.attention.ready = async () => {
    isLost = false;
  };
  return { ...setup, layersUntilLost };
}

/** Prompts of few tokens, so that they often begin alike. */
const someRequests = fc.array(
  fc.record({
    promptTokenIds: fc
      .tuple(fc.nat({ max: 2 }), fc.nat({ max: 5 }), fc.nat({ max: 9 }))
      .map(([a, b, c]) => [
        ...Array.from({ length: 8 }, () => 3 + a),
        ...Array.from({ length: b }, () => 9),
        ...Array.from({ length: c + 1 }, (_, i) => 10 + ((a + i) % 4)),
      ]),
    sampling: fc.record({
      temperature: fc.constantFrom(0, 1.5),
      seed: fc.bigInt({ min: 0n, max: 3n }),
    }),
    stop: fc.record({ maxTokens: fc.integer({ min: 1, max: 9 }), ignoreEos: fc.boolean() }),
    scheduling: fc.record({
      cacheSalt: fc.constantFrom("", "", "b"),
      prefixCache: fc.constantFrom(true, true, true, false),
    }),
  }),
  { minLength: 2, maxLength: 9 },
);

test("whoever begins alike, and whatever is evicted or lost, no token changes", async () => {
  let hitsTokens = 0;
  await fc.assert(
    fc.asyncProperty(
      someRequests,
      fc.integer({ min: 9, max: 30 }),
      fc.integer({ min: 1, max: 4 }),
      fc.option(fc.nat({ max: 40 }), { nil: undefined }),
      async (requests, numBlocks, atOnce, loseAt) => {
        const alone = await generateAlone(requests);
        const { engine, layersUntilLost } = losing(numBlocks);
        layersUntilLost.count = loseAt ?? Number.POSITIVE_INFINITY;
        for (let i = 0; i < requests.length; i += atOnce) {
          const some = requests.slice(i, i + atOnce);
          const answers = await Promise.all(some.map((one) => generate(engine, one)));
          expect(answers.map(({ tokenIds, error }) => ({ tokenIds, error }))).toEqual(
            alone.slice(i, i + atOnce).map(({ tokenIds }) => ({ tokenIds, error: undefined })),
          );
          engine.checkIntegrity();
        }
        expect(unheldBlocks(engine)).toBe(numBlocks);
        hitsTokens += engine.load().prefix.hitsTokens;
      },
    ),
    { numRuns: 60 },
  );
  expect(hitsTokens).toBeGreaterThan(100);
});

test("what was cached on a lost device is not found again", async () => {
  const { engine, layersUntilLost } = losing(40);
  await generate(engine, request);
  layersUntilLost.count = 0;
  const other = await generate(engine, { ...request, promptTokenIds: [4, 4] });
  expect(other.finished).toBeDefined();
  expect(await cachedTokens(engine, request)).toBe(0);
});

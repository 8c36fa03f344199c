// Sequences that wait for their constraints while others take their blocks, the device is lost, or
// they are cancelled: what they say afterwards is what they say alone and undisturbed.
import { setImmediate } from "node:timers/promises";
import { KernelError } from "@octet/kernels";
import fc from "fast-check";
import { expect, test } from "vitest";
import { answerSeed } from "./answer-seed.ts";
import { ChoiceConstraint, type Choices } from "./fixture/choice-constraint.ts";
import {
  generate,
  letterDecoder,
  openToyEngine,
  read,
  type ToyAnswer,
  type ToyRequest,
  unheldBlocks,
} from "./fixture/toy-engine.ts";

/** Long enough to outgrow a block several times, and alike for a while. */
const choices: Choices = [
  [3, 5, 9, 11, 4, 4, 20, 21, 22, 23],
  [3, 5, 9, 12, 6, 6, 6, 6, 6, 6, 6, 6],
  [3, 7, 7, 8, 9, 10, 11, 12, 13],
  [8, 1, 20, 6, 5, 4, 3, 1, 9, 8, 7],
];

const asking = (seed: number): ToyRequest => ({
  promptTokenIds: Array.from({ length: 6 + seed }, (_, i) => 3 + ((seed * 5 + i * 7) % 25)),
  sampling: { temperature: 4, seed: BigInt(seed) },
  stop: { maxTokens: 20 },
  scheduling: { priority: seed % 2 },
});
const numAnswers = [1, 3, 1, 2];
const requests = numAnswers.map((_, seed) => asking(seed));

/** Each answer's tokens. */
function answersOf({ events }: ToyAnswer, n: number) {
  return Array.from({ length: n }, (_, index) =>
    events.flatMap((event) =>
      event.kind === "delta" && event.index === index ? event.tokenIds : [],
    ),
  );
}

/** What each answer is when nobody else is there and no mask is late. */
async function alone(): Promise<(readonly number[])[][]> {
  const all = [];
  for (const [i, request] of requests.entries()) {
    const answers = [];
    for (let index = 0; index < numAnswers[i]!; index++) {
      const sampling = { ...request.sampling, seed: answerSeed(request.sampling!.seed!, index) };
      const openConstraint = () => new ChoiceConstraint(choices);
      const one = { ...request, sampling, openConstraint };
      answers.push((await generate(openToyEngine().engine, one)).tokenIds);
    }
    all.push(answers);
  }
  return all;
}

const disturbances = fc.record({
  // The longest alone takes seven blocks of four tokens.
  numBlocks: fc.integer({ min: 8, max: 16 }),
  activeSequencesMax: fc.integer({ min: 2, max: 7 }),
  /** How many turns of the event loop each mask takes, again and again. */
  maskTicks: fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 9 }),
  loseAt: fc.option(fc.nat({ max: 60 }), { nil: undefined }),
  cancels: fc.array(fc.option(fc.nat({ max: 120 }), { nil: undefined, freq: 2 }), {
    minLength: requests.length,
    maxLength: requests.length,
  }),
});

/** An engine that loses its device, and its cache, before the `loseAt`th layer that runs. */
function openDisturbed({
  numBlocks,
  activeSequencesMax,
  loseAt,
}: {
  numBlocks: number;
  activeSequencesMax: number;
  loseAt?: number | undefined;
}) {
  let numLayersRun = 0;
  let isLost = false;
  const setup = openToyEngine({
    numBlocks,
    limits: { activeSequencesMax },
    beforeLayer: () => {
      if (numLayersRun++ === loseAt) {
        isLost = true;
        for (const layer of setup.attention.kv) layer.fill(Number.NaN);
      }
      if (isLost) throw new KernelError("device-lost", "on purpose");
    },
  });
  setup.attention.ready = async () => {
    isLost = false;
  };
  return setup.engine;
}

test("whoever is held while blocks, devices and others go says what it says alone", async () => {
  const expected = await alone();
  const seen = { preemptions: 0, cancelled: 0, whole: 0 };
  await fc.assert(
    fc.asyncProperty(disturbances, async ({ maskTicks, cancels, ...rest }) => {
      const engine = openDisturbed(rest);
      const opened: ChoiceConstraint[] = [];
      let numMasks = 0;
      const wait = async () => {
        for (let left = maskTicks[numMasks++ % maskTicks.length]!; left > 0; left--) {
          await setImmediate();
        }
      };
      const openConstraint = () => {
        opened.push(new ChoiceConstraint(choices, wait));
        return opened.at(-1)!;
      };
      const answers = requests.map(async (request, i) => {
        const abort = new AbortController();
        const moreAnswers = Array.from({ length: numAnswers[i]! - 1 }, () => ({
          decoder: letterDecoder(),
        }));
        const decoder = letterDecoder();
        const asked = { ...request, openConstraint, decoder, moreAnswers, signal: abort.signal };
        const answer = read(engine.generate(asked));
        for (let left = cancels[i] ?? 0; left > 0; left--) await setImmediate();
        if (cancels[i] !== undefined) abort.abort();
        return answer;
      });
      for (const [i, answer] of (await Promise.all(answers)).entries()) {
        const found = answersOf(answer, numAnswers[i]!);
        if (answer.error === undefined) {
          seen.whole += 1;
          expect(found).toEqual(expected[i]);
        } else {
          seen.cancelled += 1;
          expect(answer.error).toMatchObject({ code: "cancelled" });
          expect(found).toEqual(expected[i]!.map((ids, a) => ids.slice(0, found[a]!.length)));
        }
      }
      await engine.drain();
      engine.checkIntegrity();
      expect(unheldBlocks(engine)).toBe(rest.numBlocks);
      expect(opened.map(({ numClosed }) => numClosed)).toEqual(opened.map(() => 1));
      seen.preemptions += engine.load().preemptions;
    }),
    { numRuns: 60 },
  );
  expect(seen.preemptions).toBeGreaterThan(10);
  expect(seen.cancelled).toBeGreaterThan(10);
  expect(seen.whole).toBeGreaterThan(30);
});

/** A request whose second mask comes when `release` is called, and what it says alone. */
async function holdAtSecondToken() {
  const { promise: late, resolve: release } = Promise.withResolvers<void>();
  const [[expected]] = (await alone()) as [[readonly number[]]];
  const constraint = new ChoiceConstraint(choices, async (numTokens) => {
    if (numTokens === 1) await late;
  });
  return { request: { ...asking(0), openConstraint: () => constraint }, release, expected };
}

test("one that is held gives its blocks to the more urgent, and goes on when it has others", async () => {
  const { request, release, expected } = await holdAtSecondToken();
  const engine = openDisturbed({ numBlocks: 8, activeSequencesMax: 2 });
  const held = generate(engine, { ...request, scheduling: { priority: 5, prefixCache: false } });
  const all = { promptTokenIds: [4], stop: { maxTokens: 27, ignoreEos: true } };
  await generate(engine, all);
  expect(engine.load()).toMatchObject({ preemptions: 1, queuedSequences: 0 });
  release();
  expect((await held).tokenIds).toEqual(expected);
  engine.checkIntegrity();
});

test("one whose mask comes while it waits for blocks again says the same", async () => {
  const { request, release, expected } = await holdAtSecondToken();
  const engine = openDisturbed({ numBlocks: 8, activeSequencesMax: 2 });
  const held = generate(engine, { ...request, scheduling: { priority: 5 } });
  const other = generate(engine, { promptTokenIds: [4], stop: { maxTokens: 27, ignoreEos: true } });
  while (engine.load().preemptions === 0) await setImmediate();
  expect(engine.load().queuedSequences).toBe(1);
  release();
  await other;
  expect((await held).tokenIds).toEqual(expected);
  engine.checkIntegrity();
});

test("one that is held while the device is lost says the same", async () => {
  for (const loseAt of [6, 8, 11]) {
    const { request, release, expected } = await holdAtSecondToken();
    const engine = openDisturbed({ numBlocks: 40, activeSequencesMax: 4, loseAt });
    const held = generate(engine, request);
    await generate(engine, { promptTokenIds: [4], stop: { maxTokens: 9, ignoreEos: true } });
    release();
    expect((await held).tokenIds).toEqual(expected);
    engine.checkIntegrity();
  }
});

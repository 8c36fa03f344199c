// Guesses that are checked beside the tokens they follow: whatever becomes of them, nobody can tell.
import { KernelError } from "@octet/kernels";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Engine } from "./engine.ts";
import { EngineError } from "./engine-error.ts";
import { ExpertCallError } from "./expert-client.ts";
import { ChoiceConstraint } from "./fixture/choice-constraint.ts";
import {
  generate,
  letterDecoder,
  openToyEngine,
  read,
  type ToyAnswer,
  type ToyRequest,
  unheldBlocks,
} from "./fixture/toy-engine.ts";
import type { Intercept } from "./fixture/toy-expert-client.ts";

/** By a clock that stands, a row more costs nothing: what is likely enough is checked. */
const guessing = { speculation: true, nowMs: () => 0 };

/** Of few tokens, a guess is often right. */
const sampling = fc.record({
  temperature: fc.constantFrom(0, 0.5, 2),
  topK: fc.constantFrom(undefined, 1, 3),
  topP: fc.constantFrom(1, 0.9),
  allowedTokenIds: fc.constantFrom(undefined, [3, 4], [2, 5, 6, 7]),
  repetitionPenalty: fc.constantFrom(1, 1, 1.3),
  frequencyPenalty: fc.constantFrom(0, 0, 0.4),
  logitBias: fc.constantFrom([], [[9, 4] as const]),
  seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
});
const stop = fc.record({
  maxTokens: fc.integer({ min: 1, max: 40 }),
  minTokens: fc.constantFrom(0, 0, 1),
  ignoreEos: fc.boolean(),
  tokenIds: fc.constantFrom([], [11]),
  strings: fc.constantFrom([], ["cd"], ["dcc", "ccc"]),
  includeStopString: fc.boolean(),
});
const output = fc.record({
  topLogprobs: fc.constantFrom(undefined, 2),
  promptTopLogprobs: fc.constantFrom(undefined, undefined, 1),
  routedExperts: fc.boolean(),
  progress: fc.boolean(),
});
/** With how many answers it wants. */
type Asked = ToyRequest & { readonly n: number };
const request: fc.Arbitrary<Asked> = fc.record({
  n: fc.constantFrom(1, 1, 1, 3),
  promptTokenIds: fc
    .tuple(
      fc.array(fc.integer({ min: 3, max: 28 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 4 }),
    )
    .map(([period, times]) => Array.from({ length: times }, () => period).flat()),
  sampling,
  stop,
  output,
  details: fc.boolean(),
  scheduling: fc.record({
    priority: fc.nat({ max: 2 }),
    clientId: fc.constantFrom("a", "b"),
    prefixCache: fc.boolean(),
  }),
});
const limits = fc.record({
  draftTokensMax: fc.integer({ min: 1, max: 8 }),
  draftedRowsMax: fc.integer({ min: 1, max: 40 }),
  activeSequencesMax: fc.integer({ min: 1, max: 8 }),
  stepTokensMax: fc.integer({ min: 8, max: 40 }),
});

function ask(engine: Engine, { n, ...asked }: Asked) {
  const moreAnswers = Array.from({ length: n - 1 }, () => ({ decoder: letterDecoder() }));
  return engine.generate({ ...asked, decoder: letterDecoder(), moreAnswers });
}

/** Of each answer, all that may not depend on guesses: not when it came, nor beside whom. */
function outcomesOf({ events, error }: ToyAnswer, { n }: Asked) {
  const promptLogprobs = events.flatMap((event) =>
    event.kind === "prompt-logprobs" ? event.tokens : [],
  );
  const answers = Array.from({ length: n }, (_, index) => {
    const deltas = events.filter((event) => event.kind === "delta" && event.index === index);
    const ends = events.filter((event) => event.kind === "finished" && event.index === index);
    return {
      text: deltas.map((event) => (event.kind === "delta" ? event.text : "")).join(""),
      tokenIds: deltas.flatMap((event) => (event.kind === "delta" ? event.tokenIds : [])),
      logprobs: deltas.flatMap((event) => (event.kind === "delta" ? event.logprobs : [])),
      ends: ends.map((event) => {
        if (event.kind !== "finished") return undefined;
        const { reason, stopString, stopTokenId, usage, routedExperts } = event;
        const { completionTokens } = usage;
        return { reason, stopString, stopTokenId, completionTokens, routedExperts };
      }),
    };
  });
  return { promptLogprobs, answers, code: error instanceof EngineError ? error.code : error };
}

/** The rows that each expert had of the first answer. */
function rowsOf({ events }: ToyAnswer) {
  const finished = events.find((event) => event.kind === "finished" && event.index === 0);
  if (finished?.kind !== "finished") return undefined;
  return finished.experts.map(({ expertId, rows }) => [expertId, rows]);
}

/** Without company, cache or guesses. */
function generateApart(asked: Asked, intercept: Intercept = () => {}) {
  return read(ask(openToyEngine({ intercept }).engine, asked));
}

let numAccepted = 0;
let numWrong = 0;
function count({ numDrafts, numAccepted: right }: { numDrafts: number; numAccepted: number }) {
  numAccepted += right;
  numWrong += numDrafts - right;
}

test("whatever is asked, in whatever company, nothing that is told depends on guesses", async () => {
  let preemptions = 0;
  const company = fc.array(request, { minLength: 1, maxLength: 8 });
  const pool = fc.integer({ min: 16, max: 30 });
  const halves = fc.constantFrom("on" as const, "off" as const);
  await fc.assert(
    fc.asyncProperty(company, pool, limits, halves, async (all, numBlocks, most, microBatches) => {
      const { engine } = openToyEngine({
        ...{ ...guessing, numBlocks, microBatches },
        limits: { ...most, halvedSequencesMin: 2 },
      });
      const answers = await Promise.all(all.map((asked) => read(ask(engine, asked))));
      for (const [i, asked] of all.entries()) {
        const expected = await generateApart(asked);
        expect(outcomesOf(answers[i]!, asked)).toEqual(outcomesOf(expected, asked));
        // What is computed twice counts twice; what was found, not at all.
        const isComputedOnce = engine.load().preemptions === 0 && !asked.scheduling?.prefixCache;
        if (isComputedOnce) expect(rowsOf(answers[i]!)).toEqual(rowsOf(expected));
      }
      engine.checkIntegrity();
      expect(unheldBlocks(engine)).toBe(numBlocks);
      count(engine.load().drafts);
      preemptions += engine.load().preemptions;
    }),
    { numRuns: 30 },
  );
  expect(preemptions).toBeGreaterThan(0);
  expect(numAccepted).toBeGreaterThan(50);
  expect(numWrong).toBeGreaterThan(50);
}, 120_000);

test("who leaves early, or loses a device, leaves the others what they would have had", async () => {
  const company = fc.array(fc.tuple(request, fc.option(fc.nat({ max: 12 }))), {
    minLength: 2,
    maxLength: 5,
  });
  const losses = fc.uniqueArray(fc.nat({ max: 60 }), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(company, limits, losses, async (all, most, loseAt) => {
      let numLayersRun = 0;
      let isLost = false;
      const { engine, attention, experts } = openToyEngine({
        ...{ ...guessing, numBlocks: 30, limits: most },
        beforeLayer: () => {
          if (!isLost && loseAt.includes(numLayersRun++)) {
            isLost = true;
            for (const layer of attention.kv) layer.fill(Number.NaN);
          }
          if (isLost) throw new KernelError("device-lost", "on purpose");
        },
      });
      attention.ready = async () => {
        isLost = false;
      };
      const answers = all.map(async ([asked, leaveAfter]) => {
        const events = ask(engine, asked);
        if (leaveAfter === null) return read(events);
        for (let i = 0; i < leaveAfter; i++) if ((await events.next()).done === true) break;
        await events.return?.();
        return undefined;
      });
      for (const [i, answer] of (await Promise.all(answers)).entries()) {
        if (answer === undefined) continue;
        const [asked] = all[i]!;
        const expected = await generateApart(asked);
        expect(outcomesOf(answer, asked)).toEqual(outcomesOf(expected, asked));
      }
      await engine.drain();
      engine.checkIntegrity();
      expect(unheldBlocks(engine)).toBe(30);
      await experts.close();
    }),
    { numRuns: 60 },
  );
});

/** Fails whatever an expert of one layer is asked for. */
function goneExpert(layer: number, expertId: number): Intercept {
  return (call) => {
    if (call.layer !== layer || call.expertId !== expertId) return;
    throw new ExpertCallError("unavailable", call, { detail: "on purpose" });
  };
}

/** Fails calls that hold a row of which a byte is `byte`: about one row in 256 / 4. */
function poisonedRow(byte: number): Intercept {
  return (call) => {
    const { data, rows } = call.input;
    const rowBytes = data.length / rows;
    for (let row = 0; row < rows; row++) {
      if (data[row * rowBytes] !== byte) continue;
      throw new ExpertCallError("internal", call, { detail: "on purpose" });
    }
  };
}

test("what only guesses need fails nobody; what is needed fails where it would have", async () => {
  const one = request.map((asked) => ({ ...asked, n: 1 }));
  const company = fc.array(one, { minLength: 1, maxLength: 3 });
  const intercepts = fc.oneof(
    fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 3 })).map((at) => goneExpert(...at)),
    fc.nat({ max: 255 }).map(poisonedRow),
  );
  let numFailed = 0;
  await fc.assert(
    fc.asyncProperty(company, intercepts, async (all, intercept) => {
      const { engine } = openToyEngine({ ...guessing, intercept });
      const answers = await Promise.all(all.map((asked) => read(ask(engine, asked))));
      for (const [i, asked] of all.entries()) {
        const found = outcomesOf(answers[i]!, asked);
        expect(found).toEqual(outcomesOf(await generateApart(asked, intercept), asked));
        if (found.code !== undefined && found.answers[0]!.tokenIds.length > 5) numFailed += 1;
      }
    }),
    { numRuns: 200 },
  );
  expect(numFailed).toBeGreaterThan(3);
}, 120_000);

test("who goes on from an answer finds its blocks, and in them what it would have computed", async () => {
  const turns = fc.array(fc.array(fc.integer({ min: 3, max: 6 }), { minLength: 1, maxLength: 3 }), {
    maxLength: 5,
  });
  let numRight = 0;
  await fc.assert(
    fc.asyncProperty(turns, fc.nat({ max: 99 }), async (said, seed) => {
      const { engine } = openToyEngine(guessing);
      let before: number[] = [3, 4, 3, 4];
      let numKnown = 0;
      for (const more of said) {
        const asked: ToyRequest = {
          promptTokenIds: [...before, ...more],
          sampling: { allowedTokenIds: [3, 4], seed: BigInt(seed) },
          stop: { maxTokens: 7, ignoreEos: true },
        };
        const found = await generate(engine, asked);
        const expected = await generate(openToyEngine().engine, asked);
        expect(found.tokenIds).toEqual(expected.tokenIds);
        expect(found.finished?.usage.cachedPromptTokens).toBe(Math.floor(numKnown / 4) * 4);
        before = [...Array.from(asked.promptTokenIds), ...found.tokenIds];
        numKnown = before.length - 1;
      }
      numRight += engine.load().drafts.numAccepted;
    }),
    { numRuns: 30 },
  );
  expect(numRight).toBeGreaterThan(20);
});

const repeating: ToyRequest = {
  promptTokenIds: [3, 4, 5, 3, 4, 5, 3, 4, 5],
  sampling: { temperature: 0, logitBias: [[6, 100]] },
  stop: { maxTokens: 48, ignoreEos: true },
};

test("a guess that is right saves steps, and no step passes its limits", async () => {
  const plain = openToyEngine();
  const expected = await generate(plain.engine, repeating);
  expect(plain.attention.stepTokens).toHaveLength(48);
  for (const [most, rowsMax] of [
    [{}, 9],
    [{ draftTokensMax: 3 }, 4],
    [{ draftedRowsMax: 5 }, 5],
  ] as const) {
    const { engine, attention } = openToyEngine({
      ...guessing,
      limits: most,
      blockSizeTokens: 32,
    });
    const found = await generate(engine, repeating);
    expect(found.tokenIds).toEqual(expected.tokenIds);
    const { numDrafts, numAccepted: right } = engine.load().drafts;
    expect(numDrafts).toBeGreaterThanOrEqual(right);
    expect(attention.stepTokens).toHaveLength(48 - right);
    expect(Math.max(...attention.stepTokens.slice(1))).toBe(rowsMax);
  }
});

test("nothing is guessed beyond an answer's last token", async () => {
  for (let maxTokens = 1; maxTokens < 20; maxTokens++) {
    let lastPosition = 0;
    const { engine } = openToyEngine({
      ...{ ...guessing, blockSizeTokens: 64, numBlocks: 1 },
      beforeLayer: (_, [{ startPosition, tokenIds } = { startPosition: 0, tokenIds: [] }]) => {
        lastPosition = Math.max(lastPosition, startPosition + tokenIds.length - 1);
      },
    });
    await generate(engine, { ...repeating, stop: { maxTokens, ignoreEos: true } });
    // The last token is said and never computed.
    expect(lastPosition).toBe(9 + maxTokens - 2);
  }
});

test("greedy tokens are checked by the largest logits alone", async () => {
  const greedy = { ...repeating, sampling: { temperature: 0 } };
  const expected = await generate(openToyEngine().engine, greedy);
  const promptTokenIds = [...Array.from(greedy.promptTokenIds), ...expected.tokenIds];
  const { engine, attention } = openToyEngine(guessing);
  const found = await generate(engine, { ...greedy, promptTokenIds });
  const plain = await generate(openToyEngine().engine, { ...greedy, promptTokenIds });
  expect(found.tokenIds).toEqual(plain.tokenIds);
  expect(engine.load().drafts.numDrafts).toBeGreaterThan(0);
  expect(attention.topCounts).toHaveLength(attention.stepTokens.length);
});

test("nothing is guessed of an answer that a constraint steers, nor when nobody asked for it", async () => {
  const choices = [[6, 7, 6, 7, 6, 7, 6, 7, 6, 7]];
  const steered = { ...repeating, stop: {}, openConstraint: () => new ChoiceConstraint(choices) };
  const { engine } = openToyEngine(guessing);
  expect((await generate(engine, steered)).tokenIds.slice(0, 10)).toEqual(choices[0]);
  expect(engine.load().drafts.numDrafts).toBe(0);
  const { engine: plain } = openToyEngine();
  await generate(plain, repeating);
  expect(plain.load().drafts.numDrafts).toBe(0);
});

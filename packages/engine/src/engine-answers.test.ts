// Several answers to one prompt: each as if alone, the prompt computed once, all ending together.
import { getEventListeners } from "node:events";
import { KernelError } from "@octet/kernels";
import fc from "fast-check";
import { expect, test } from "vitest";
import { answerSeed } from "./answer-seed.ts";
import type { Engine } from "./engine.ts";
import { ExpertCallError } from "./expert-client.ts";
import {
  generate,
  letterDecoder,
  openToyEngine,
  read,
  type ToyAnswer,
  type ToyRequest,
  unheldBlocks,
} from "./fixture/toy-engine.ts";

const prompt = Array.from({ length: 19 }, (_, i) => 3 + ((i * 7) % 25));
const request: ToyRequest = {
  promptTokenIds: prompt,
  sampling: { temperature: 1.5, seed: 9n },
  stop: { maxTokens: 6, ignoreEos: true },
};

function ask(engine: Engine, n: number, asked: ToyRequest = request) {
  const moreAnswers = Array.from({ length: n - 1 }, () => ({ decoder: letterDecoder() }));
  return engine.generate({ ...asked, decoder: letterDecoder(), moreAnswers });
}

/** Each answer's text and tokens. */
function answersOf({ events }: ToyAnswer, n: number) {
  return Array.from({ length: n }, (_, index) => {
    const deltas = events.filter((event) => event.kind === "delta" && event.index === index);
    return deltas.flatMap((event) => (event.kind === "delta" ? event.tokenIds : []));
  });
}

/** What n requests for one give, each with its answer's seed. */
async function alone(n: number, asked: ToyRequest = request) {
  const answers = [];
  for (let index = 0; index < n; index++) {
    const seed = answerSeed(asked.sampling!.seed!, index);
    const one = { ...asked, sampling: { ...asked.sampling, seed } };
    answers.push((await generate(openToyEngine().engine, one)).tokenIds);
  }
  return answers;
}

test("each answer is what its seed gives alone, the first what the request gives for one", async () => {
  const { engine } = openToyEngine();
  const answer = await read(ask(engine, 8));
  expect(answersOf(answer, 8)).toEqual(await alone(8));
  expect(new Set(answersOf(answer, 8).map(String)).size).toBe(8);
  const kinds = answer.events.map((event) => event.kind);
  expect(kinds.filter((kind) => kind === "started")).toHaveLength(1);
  expect(kinds.filter((kind) => kind === "finished")).toHaveLength(8);
  expect(kinds.at(-1)).toBe("finished");
  engine.checkIntegrity();
});

test("the prompt is computed once; each answer computes what is in no whole block", async () => {
  for (const prefixCache of [true, false]) {
    const { engine, attention } = openToyEngine();
    const asked = { ...request, scheduling: { prefixCache }, stop: { maxTokens: 1 } };
    const answer = await read(ask(engine, 4, asked));
    expect(attention.stepTokens).toEqual([19, 3 * 3]);
    for (const event of answer.events) {
      if (event.kind === "finished") expect(event.usage.cachedPromptTokens).toBe(0);
    }
    const again = await generate(engine, asked);
    expect(again.finished?.usage.cachedPromptTokens).toBe(prefixCache ? 16 : 0);
  }
});

test("nobody follows before the prompt is computed, however it is cut", async () => {
  const limits = { stepTokensMax: 8, activeSequencesMax: 4 };
  const { engine, attention } = openToyEngine({ limits });
  await read(ask(engine, 4, { ...request, stop: { maxTokens: 1 } }));
  expect(attention.stepTokens).toEqual([8, 8, 3, 8, 1]);
});

test("whatever gives way or is lost, the answers stay", async () => {
  const expected = await alone(5);
  let preemptions = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 7, max: 20 }),
      fc.integer({ min: 1, max: 6 }),
      fc.boolean(),
      fc.option(fc.nat({ max: 30 }), { nil: undefined }),
      async (numBlocks, activeSequencesMax, prefixCache, loseAt) => {
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
        const { engine } = setup;
        const answer = await read(ask(engine, 5, { ...request, scheduling: { prefixCache } }));
        expect(answer.error).toBeUndefined();
        expect(answersOf(answer, 5)).toEqual(expected);
        engine.checkIntegrity();
        expect(unheldBlocks(engine)).toBe(numBlocks);
        preemptions += engine.load().preemptions;
      },
    ),
    { numRuns: 50 },
  );
  expect(preemptions).toBeGreaterThan(5);
});

test("one that fails ends them all, at once and with its error", async () => {
  let numCalls = 0;
  const { engine, experts, attention } = openToyEngine();
  experts.intercept = (call) => {
    // In the middle of the decodes: one row of one answer.
    if (call.input.rows === 1 && numCalls++ === 3) {
      throw new ExpertCallError("unavailable", call, { detail: "on purpose" });
    }
  };
  const asked = { ...request, stop: { maxTokens: 40, ignoreEos: true } };
  const answer = await read(ask(engine, 6, asked));
  expect(answer.error).toMatchObject({ code: "expert-unavailable" });
  await engine.drain();
  expect(attention.stepTokens.length).toBeLessThan(12);
  expect(engine.load()).toMatchObject({ activeSequences: 0, queuedSequences: 0 });
  expect(unheldBlocks(engine)).toBe(200);
});

test("whoever leaves, before the prompt is computed or after, leaves nothing behind", async () => {
  for (const numEvents of [0, 1, 2, 5, 9]) {
    const { engine, experts } = openToyEngine();
    const abort = new AbortController();
    const events = ask(engine, 4, { ...request, signal: abort.signal });
    for (let i = 0; i < numEvents; i++) await events.next();
    if (numEvents % 2 === 0) await events.return?.();
    else abort.abort();
    await engine.drain();
    engine.checkIntegrity();
    expect(unheldBlocks(engine)).toBe(200);
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(0);
    await experts.close();
  }
});

test("a request that is refused leaves nobody waiting", async () => {
  const { engine } = openToyEngine({ limits: { activeSequencesMax: 1, queuedSequencesMax: 1 } });
  const first = read(ask(engine, 2));
  expect(() => ask(engine, 2)).toThrow(/queue is full/);
  expect((await first).error).toBeUndefined();
  await engine.drain();
  engine.checkIntegrity();
  expect(engine.load()).toMatchObject({ activeSequences: 0, queuedSequences: 0 });
});

test("too many answers, or more to one that has begun, are refused", () => {
  const { engine } = openToyEngine();
  expect(() => ask(engine, 9)).toThrow(/n: expected 1 .. 8 answers, found 9/);
  const resumed = { ...request, answerStart: 18 };
  expect(() => ask(engine, 2, resumed)).toThrow(
    expect.objectContaining({ code: "invalid-argument", field: "n" }),
  );
});

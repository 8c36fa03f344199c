import { expect, test } from "vitest";
import {
  generate,
  generateAlone,
  letterDecoder,
  openToyEngine,
  read,
  toyRequests,
} from "./fixture/toy-engine.ts";
import { toyModel } from "./fixture/toy-model.ts";

const greedy = { temperature: 0 };

test("a sequence's tokens do not change with its company", async () => {
  const requests = toyRequests(8);
  const alone = await generateAlone(requests);
  const { engine } = openToyEngine();
  const together = await Promise.all(requests.map((request) => generate(engine, request)));
  expect(together.map((answer) => answer.tokenIds)).toEqual(alone.map((a) => a.tokenIds));
  expect(together.every((answer) => answer.finished !== undefined)).toBe(true);
  expect(new Set(together.map((answer) => answer.text)).size).toBe(8);
  engine.checkIntegrity();
  expect(engine.load()).toEqual({
    activeSequences: 0,
    queuedSequences: 0,
    freeBlocks: 200 - engine.load().cachedBlocks,
    cachedBlocks: expect.any(Number),
    numBlocks: 200,
    preemptions: 0,
    steps: expect.any(Number),
    halvedSteps: 0,
    prefix: { queriesTokens: 64, hitsTokens: 0 },
    drafts: { numDrafts: 0, numAccepted: 0 },
  });
});

test("how prefill is cut makes no difference, and no step passes its budget", async () => {
  const requests = toyRequests(8);
  const alone = await generateAlone(requests);
  for (const stepTokensMax of [8, 9, 13, 64]) {
    const { engine, attention } = openToyEngine({
      limits: { stepTokensMax, activeSequencesMax: 8 },
    });
    const answers = await Promise.all(requests.map((request) => generate(engine, request)));
    expect(answers.map((answer) => answer.tokenIds)).toEqual(alone.map((a) => a.tokenIds));
    expect(Math.max(...attention.stepTokens)).toBeLessThanOrEqual(stepTokensMax);
  }
});

test("the next step has begun when a reader hears of a token", async () => {
  const { engine, attention } = openToyEngine();
  const stop = { maxTokens: 6, ignoreEos: true };
  const request = { promptTokenIds: [5, 9, 12], sampling: greedy, stop };
  const begun: number[] = [];
  for await (const event of engine.generate({ ...request, decoder: letterDecoder() })) {
    if (event.kind === "delta") begun.push(attention.stepTokens.length);
  }
  expect(begun).toEqual([2, 3, 4, 5, 6, 6]); // no step follows the last token
});

test("decoding from the KV cache continues as if the answer had been in the prompt", async () => {
  const promptTokenIds = [5, 9, 12, 7, 20];
  const stop = { maxTokens: 12, ignoreEos: true };
  const sampling = { temperature: 0.8, seed: 3n };
  const whole = await generate(openToyEngine().engine, { promptTokenIds, sampling, stop });
  for (let cut = 1; cut < 12; cut++) {
    const rest = await generate(openToyEngine().engine, {
      promptTokenIds: [...promptTokenIds, ...whole.tokenIds.slice(0, cut)],
      sampling,
      stop: { ...stop, maxTokens: 12 - cut },
    });
    expect(rest.tokenIds).toEqual(whole.tokenIds.slice(cut));
  }
});

test("sequences that do not fit wait their turn, and give the same tokens", async () => {
  const requests = toyRequests(8);
  const alone = await generateAlone(requests);
  const { engine } = openToyEngine({ numBlocks: 16 });
  const answers = requests.map((request) => generate(engine, request));
  expect(engine.load().queuedSequences).toBe(8);
  expect((await Promise.all(answers)).map((a) => a.tokenIds)).toEqual(alone.map((a) => a.tokenIds));
  engine.checkIntegrity();
});

test("no step has more sequences than the limit, and as many when they are there", async () => {
  const { engine, attention } = openToyEngine({ limits: { activeSequencesMax: 3 } });
  await Promise.all(toyRequests(8).map((request) => generate(engine, request)));
  expect(Math.max(...attention.stepSequences)).toBe(3);
});

test("events come in order: started, deltas, finished with usage and timings", async () => {
  let nowMs = 0;
  const { engine } = openToyEngine({ nowMs: () => (nowMs += 5), chooseSeed: () => 77n });
  const { events, finished, tokenIds } = await generate(engine, {
    promptTokenIds: [4, 5, 6],
    stop: { maxTokens: 4, ignoreEos: true },
    details: true,
  });
  expect(events[0]).toEqual({ kind: "started", promptTokens: 3, seed: 77n });
  expect(new Set(events.slice(1, -1).map((event) => event.kind))).toEqual(new Set(["delta"]));
  expect(events.at(-1)).toBe(finished);
  expect(tokenIds).toHaveLength(4);
  expect(finished).toMatchObject({
    reason: "length",
    stopString: undefined,
    usage: { promptTokens: 3, completionTokens: 4, cachedPromptTokens: 0 },
  });
  for (const us of Object.values(finished!.timings)) {
    expect(us).toBeGreaterThan(0);
    expect(us % 5000).toBe(0);
  }
  // Six tokens went through three layers of two experts each; the last was never fed back.
  const rows = finished!.experts.reduce((sum, use) => sum + use.rows, 0);
  expect(rows).toBe(6 * toyModel.numLayers * toyModel.numExpertsPerToken);
  for (const use of finished!.experts) {
    expect(use).toMatchObject({ workerId: `worker-${use.expertId}`, address: "in-process" });
    expect(use.computedUs).toBe(use.calls * 10);
    expect(use.calls).toBeLessThanOrEqual(4 * toyModel.numLayers);
  }
});

test("without details nobody is told who answered", async () => {
  const { finished } = await generate(openToyEngine().engine, { promptTokenIds: [4] });
  expect(finished!.experts).toEqual([]);
});

test("a stop string ends the sequence, and nothing is computed after it", async () => {
  const request = { promptTokenIds: [4, 9], sampling: greedy, stop: { ignoreEos: true } };
  const whole = await generate(openToyEngine().engine, request);
  const { engine, attention } = openToyEngine();
  const stopString = whole.text.slice(6, 9);
  const end = whole.text.indexOf(stopString);
  const stopped = await generate(engine, {
    ...request,
    stop: { ...request.stop, strings: [stopString] },
  });
  expect(stopped.text).toBe(whole.text.slice(0, end));
  expect(stopped.finished).toMatchObject({ reason: "stop", stopString });
  expect(attention.stepTokens).toHaveLength(end + 3);
});

test("the context's end ends a sequence that names no limit", async () => {
  const { engine } = openToyEngine();
  expect(engine.contextTokens).toBe(toyModel.maxPositions);
  const { finished } = await generate(engine, {
    promptTokenIds: [4, 9],
    stop: { ignoreEos: true },
  });
  expect(finished).toMatchObject({ reason: "length", usage: { completionTokens: 62 } });
});

test("a prompt that fills the context is refused with both numbers, never cut", () => {
  const { engine } = openToyEngine();
  const promptTokenIds = Array.from({ length: 64 }, () => 3);
  const submit = () => engine.generate({ promptTokenIds, decoder: letterDecoder() });
  expect(submit).toThrow(expect.objectContaining({ code: "context-length-exceeded" }));
  expect(submit).toThrow(/64 tokens and the context 64/);
});

test("prompts outside the vocabulary are refused, and tokens never quoted", () => {
  const { engine } = openToyEngine();
  for (const promptTokenIds of [[], [29], [-1], [1.5], [Number.NaN]]) {
    expect(() => engine.generate({ promptTokenIds, decoder: letterDecoder() })).toThrow(
      expect.objectContaining({ code: "invalid-argument" }),
    );
  }
  const secret = [3, 271_828];
  expect(() => engine.generate({ promptTokenIds: secret, decoder: letterDecoder() })).not.toThrow(
    /271/,
  );
});

test("a full queue refuses, and a long wait in it ends", async () => {
  let nowMs = 0;
  const { engine } = openToyEngine({
    limits: { activeSequencesMax: 1, queuedSequencesMax: 2, queueWaitMs: 100 },
    nowMs: () => nowMs,
  });
  const all = { promptTokenIds: [4], stop: { ignoreEos: true } };
  const first = engine.generate({ ...all, decoder: letterDecoder() });
  await first.next();
  await first.next(); // it is the one that may be active
  const second = generate(engine, all);
  const third = generate(engine, all);
  expect(() => engine.generate({ ...all, decoder: letterDecoder() })).toThrow(
    expect.objectContaining({ code: "overloaded", retryAfterMs: 1000 }),
  );
  nowMs = 101;
  for (const answer of [await second, await third]) {
    expect(answer.error).toMatchObject({ code: "overloaded", retryAfterMs: 1000 });
    expect(answer.tokenIds).toEqual([]);
  }
  expect((await read(first)).finished).toBeDefined();
  engine.checkIntegrity();
});

test("a reader who is slow gets fewer deltas and the same answer", async () => {
  const request = { promptTokenIds: [4, 9], sampling: greedy, stop: { ignoreEos: true } };
  const quick = await generate(openToyEngine().engine, request);
  const { engine } = openToyEngine();
  const events = engine.generate({ ...request, decoder: letterDecoder() });
  await engine.drain();
  const slow = await read(events);
  expect(slow.events.map((event) => event.kind)).toEqual(["started", "delta", "finished"]);
  expect(slow.tokenIds).toEqual(quick.tokenIds);
  expect(slow.text).toBe(quick.text);
});

test("drain finishes what has begun and refuses what is new", async () => {
  const { engine } = openToyEngine();
  const answers = toyRequests(4).map((request) => generate(engine, request));
  const drained = engine.drain();
  expect(() => engine.generate({ promptTokenIds: [3], decoder: letterDecoder() })).toThrow(
    expect.objectContaining({ code: "closed" }),
  );
  await drained;
  expect((await Promise.all(answers)).every((answer) => answer.finished)).toBe(true);
});

test("limits that contradict each other are refused at once", () => {
  expect(() => openToyEngine({ limits: { stepTokensMax: 1025 } })).toThrow(/at most 1024/);
  expect(() => openToyEngine({ limits: { stepTokensMax: 63 } })).toThrow(/activeSequencesMax/);
  expect(() => openToyEngine({ limits: { queueWaitMs: 0 } })).toThrow(/queueWaitMs/);
});

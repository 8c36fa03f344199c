import { getEventListeners } from "node:events";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  generate,
  generateAlone,
  letterDecoder,
  openToyEngine,
  read,
  toyRequests,
  unheldBlocks,
} from "./fixture/toy-engine.ts";
import { hang } from "./fixture/toy-expert-client.ts";

const ticks = async (count: number) => {
  for (let i = 0; i < count; i++) await setImmediate();
};

test("cancelling at any point leaks no block and changes nobody else's tokens", async () => {
  const requests = toyRequests(6);
  const alone = await generateAlone(requests);
  const cancel = fc.record({
    afterTicks: fc.nat({ max: 80 }),
    how: fc.constantFrom("signal", "return", "never"),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(cancel, { minLength: 6, maxLength: 6 }),
      fc.constantFrom(14, 40, 200),
      async (cancels, numBlocks) => {
        const { engine, experts } = openToyEngine({ numBlocks });
        const answers = requests.map(async (request, i) => {
          const abort = new AbortController();
          const events = engine.generate({
            ...request,
            decoder: letterDecoder(),
            signal: abort.signal,
          });
          const answer = read(events);
          const { how, afterTicks } = cancels[i]!;
          if (how === "never") return answer;
          await ticks(afterTicks);
          if (how === "signal") abort.abort();
          else await events.return?.();
          return answer;
        });
        const results = await Promise.all(answers);
        await engine.drain();
        results.forEach(({ error, finished, tokenIds }, i) => {
          const { how } = cancels[i]!;
          expect(alone[i]!.tokenIds.slice(0, tokenIds.length)).toEqual(tokenIds);
          if (finished !== undefined) expect(tokenIds).toEqual(alone[i]!.tokenIds);
          else if (how === "signal") expect(error).toMatchObject({ code: "cancelled" });
          else expect(how).toBe("return");
        });
        engine.checkIntegrity();
        expect(engine.load().activeSequences).toBe(0);
        expect(unheldBlocks(engine)).toBe(numBlocks);
        await experts.close();
      },
    ),
    { numRuns: 30 },
  );
});

test("a cancel reaches expert calls that nobody else needs", async () => {
  const { engine, experts } = openToyEngine({ intercept: hang });
  const abort = new AbortController();
  const answers = toyRequests(3).map((request) =>
    generate(engine, { ...request, signal: abort.signal }),
  );
  while (experts.numUnderWay === 0) await setImmediate();
  abort.abort();
  for (const answer of await Promise.all(answers)) {
    expect(answer.error).toMatchObject({ code: "cancelled" });
  }
  await engine.drain();
  expect(experts.numUnderWay).toBe(0);
  engine.checkIntegrity();
});

test("a cancel leaves alone the calls of a step that another sequence is in", async () => {
  const [leaving, staying] = toyRequests(2);
  const [, alone] = await generateAlone([leaving!, staying!]);
  let wasAborted = false;
  const logged: string[] = [];
  const { engine } = openToyEngine({
    log: { warn: (event) => logged.push(event) },
    intercept: async (_call, { signal }) => {
      await ticks(3);
      wasAborted ||= signal?.aborted === true;
    },
  });
  const abort = new AbortController();
  const left = generate(engine, { ...leaving!, signal: abort.signal });
  const stayed = generate(engine, staying!);
  await ticks(4);
  abort.abort();
  expect((await left).error).toMatchObject({ code: "cancelled" });
  expect((await stayed).tokenIds).toEqual(alone!.tokenIds);
  expect(wasAborted).toBe(false);
  expect(logged).toEqual([]); // leaving is no failure
});

test("the reader of a cancelled sequence is told at once, while its calls still hang", async () => {
  const { engine } = openToyEngine({ intercept: hang });
  const abort = new AbortController();
  const answer = generate(engine, { promptTokenIds: [3], signal: abort.signal });
  const other = new AbortController();
  const beside = generate(engine, { promptTokenIds: [4], signal: other.signal });
  await ticks(5);
  abort.abort();
  expect((await answer).error).toMatchObject({ code: "cancelled" });
  expect(engine.load().activeSequences).toBe(2);
  other.abort();
  await beside;
});

test("a timeout is told apart from a cancel", async () => {
  const { engine } = openToyEngine({ intercept: hang });
  const late = new DOMException("too late", "TimeoutError");
  const abort = new AbortController();
  const answer = generate(engine, { promptTokenIds: [3], signal: abort.signal });
  await ticks(5);
  abort.abort(late);
  expect((await answer).error).toMatchObject({ code: "deadline-exceeded", cause: late });
  expect(() =>
    engine.generate({ promptTokenIds: [3], decoder: letterDecoder(), signal: abort.signal }),
  ).toThrow(expect.objectContaining({ code: "deadline-exceeded" }));
});

test("a waiting sequence that is cancelled makes room in the queue at once", async () => {
  const { engine } = openToyEngine({
    limits: { activeSequencesMax: 1, queuedSequencesMax: 1 },
  });
  const all = { promptTokenIds: [4], stop: { ignoreEos: true } };
  const first = engine.generate({ ...all, decoder: letterDecoder() });
  await first.next();
  await first.next();
  const abort = new AbortController();
  const second = generate(engine, { ...all, signal: abort.signal });
  abort.abort();
  const third = generate(engine, all);
  await first.return?.();
  expect((await second).error).toMatchObject({ code: "cancelled" });
  expect((await third).finished).toBeDefined();
});

test("a sequence that has ended, or never began, leaves nothing on its signal", async () => {
  const { engine } = openToyEngine({ limits: { queuedSequencesMax: 1 } });
  const { signal } = new AbortController();
  const request = { ...toyRequests(1)[0]!, signal };
  const answer = generate(engine, request);
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  expect(() => engine.generate({ ...request, decoder: letterDecoder() })).toThrow(/queue is full/);
  expect((await answer).finished).toBeDefined();
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});

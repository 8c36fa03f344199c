// Answers that a constraint shapes, and engines that its failures leave alone.
import { setTimeout as delay, setImmediate } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { ChoiceConstraint, type Choices } from "./fixture/choice-constraint.ts";
import {
  generate,
  letterDecoder,
  openToyEngine,
  read,
  type ToyRequest,
} from "./fixture/toy-engine.ts";
import { hang } from "./fixture/toy-expert-client.ts";

const choices: Choices = [[3], [3, 5, 9], [3, 5, 9, 11, 4, 4], [7, 7], [8, 1, 20, 6]];
const opened: ChoiceConstraint[] = [];
/** What opens a constraint that the test after looks at. */
function choose(...parts: ConstructorParameters<typeof ChoiceConstraint>) {
  return () => {
    const constraint = new ChoiceConstraint(...parts);
    opened.push(constraint);
    return constraint;
  };
}
afterEach(() => {
  expect(opened.map(({ numClosed }) => numClosed)).toEqual(opened.map(() => 1));
  opened.length = 0;
});

const asking = (seed: number): ToyRequest => ({
  promptTokenIds: [3 + (seed % 7), 8, 13],
  sampling: { temperature: seed % 3 === 0 ? 0 : 4, topP: 0.98, seed: BigInt(seed) },
  stop: { maxTokens: 20 },
});
const plain = { ...asking(1), stop: { maxTokens: 12, ignoreEos: true } };
const withoutEnd = (tokenIds: readonly number[]) => tokenIds.filter((id) => id !== 2);

test("every answer is one of the choices, and the same in company", async () => {
  const { engine } = openToyEngine();
  const seeds = Array.from({ length: 24 }, (_, seed) => seed);
  const requests = seeds.map((seed) => ({ ...asking(seed), openConstraint: choose(choices) }));
  const [free, ...together] = await Promise.all([
    generate(engine, plain),
    ...requests.map((request) => generate(engine, request)),
  ]);
  expect(free!.tokenIds).toEqual((await generate(openToyEngine().engine, plain)).tokenIds);
  const found = new Set<string>();
  for (const [i, { tokenIds, finished, error }] of together.entries()) {
    expect(error).toBeUndefined();
    expect(finished?.reason).toBe("end-of-sequence");
    expect(choices).toContainEqual(withoutEnd(tokenIds));
    found.add(String(withoutEnd(tokenIds)));
    const alone = await generate(openToyEngine().engine, requests[i]!);
    expect(tokenIds).toEqual(alone.tokenIds);
  }
  expect(found.size).toBeGreaterThan(2);
  engine.checkIntegrity();
});

test("a mask that is late holds back its own sequence alone, which then goes on as ever", async () => {
  const { engine } = openToyEngine();
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const wait = async (numTokens: number) => (numTokens === 1 ? late : undefined);
  const choice: Choices = [[8, 1, 20, 6]];
  const held = generate(engine, { ...asking(1), openConstraint: choose(choice, wait) });
  const others = await Promise.all([generate(engine, plain), generate(engine, plain)]);
  expect(others.map(({ tokenIds }) => tokenIds.length)).toEqual([12, 12]);
  expect(engine.load().activeSequences).toBe(1);
  const later = await generate(engine, plain); // wakes the engine, which was waiting
  expect(later.tokenIds).toEqual(others[0]!.tokenIds);
  resolve();
  expect((await held).tokenIds).toEqual([8, 1, 20, 6]);
});

test("no constraint is opened, and none is too late, while its request waits in a full queue", async () => {
  const queuedSequencesMax = 6;
  const limits = { activeSequencesMax: 2, queuedSequencesMax, maskDeadlineMs: 20 };
  const { promise: over, resolve: release } = Promise.withResolvers<void>();
  const { engine } = openToyEngine({ limits, intercept: () => over });
  const first = [generate(engine, plain), generate(engine, plain)];
  while (engine.load().activeSequences < 2) await setImmediate();
  let mostOpen = 0;
  const waiting = Array.from({ length: queuedSequencesMax }, (_, seed) =>
    generate(engine, {
      ...asking(seed),
      openConstraint: () => {
        const constraint = choose(choices, () => over)();
        const numOpen = opened.filter(({ numClosed }) => numClosed === 0).length;
        mostOpen = Math.max(mostOpen, numOpen);
        return constraint;
      },
    }),
  );
  expect(() => generate(engine, plain)).toThrow(/queue is full/);
  await delay(5 * limits.maskDeadlineMs);
  expect(opened).toEqual([]);
  release();
  for (const { error, tokenIds } of await Promise.all(waiting)) {
    expect(error).toBeUndefined();
    expect(choices).toContainEqual(withoutEnd(tokenIds));
  }
  expect(mostOpen).toBe(limits.activeSequencesMax);
  await Promise.all(first);
  engine.checkIntegrity();
});

test("a request that never gets blocks opens no constraint", async () => {
  const { engine } = openToyEngine({ limits: { activeSequencesMax: 1 }, intercept: hang });
  const [running, waits] = [new AbortController(), new AbortController()];
  const first = generate(engine, { ...plain, signal: running.signal });
  const request = { ...asking(1), openConstraint: choose(choices) };
  const second = generate(engine, { ...request, signal: waits.signal });
  await setImmediate();
  waits.abort();
  expect((await second).error).toMatchObject({ code: "cancelled" });
  running.abort();
  await first;
  expect(opened).toEqual([]);
});

test("a constraint that fails, is late for good, or is no constraint fails its sequence", async () => {
  const { engine } = openToyEngine({ limits: { maskDeadlineMs: 20 } });
  const ask = (before: () => Promise<void>, some = choices) =>
    generate(engine, { ...asking(1), openConstraint: choose(some, before) });
  const broken = new Error("no more of this");
  const failures = await Promise.all([
    ask(() => Promise.reject(broken)),
    ask(() => new Promise(() => {})),
    ask(async () => {}, [[2000]]),
    generate(engine, {
      ...asking(1),
      sampling: { allowedTokenIds: [20] },
      openConstraint: choose(choices),
    }),
    generate(engine, {
      ...asking(1),
      openConstraint: () => {
        throw broken;
      },
    }),
    generate(engine, plain),
  ]);
  const errors = failures.map(({ error }) => (error as Error | undefined)?.message);
  expect(errors[0]).toMatch(/constraint-failed.*no more of this/);
  expect(errors[1]).toMatch(/constraint-failed.*more than 20 ms/);
  expect(errors[2]).toMatch(/constraint-failed/);
  expect(errors[3]).toMatch(/invalid-argument.*allowedTokenIds: expected one/);
  expect(errors[4]).toMatch(/constraint-failed.*no more of this/);
  expect(errors[5]).toBeUndefined();
  engine.checkIntegrity();
  expect(engine.load()).toMatchObject({ activeSequences: 0, queuedSequences: 0 });
});

test("a sequence that is held can be cancelled, and the engine closed", async () => {
  const { engine } = openToyEngine();
  const never = () => new Promise<void>(() => {});
  const abort = new AbortController();
  const request = { ...asking(1), openConstraint: choose(choices, never) };
  const cancelled = generate(engine, { ...request, signal: abort.signal });
  const closed = read(engine.generate({ ...request, decoder: letterDecoder() }));
  await generate(engine, plain);
  expect(engine.load().activeSequences).toBe(2);
  abort.abort();
  expect((await cancelled).error).toMatchObject({ code: "cancelled" });
  await engine.close();
  expect((await closed).error).toMatchObject({ code: "cancelled" });
  expect(engine.load()).toMatchObject({ activeSequences: 0, queuedSequences: 0 });
  engine.checkIntegrity();
});

test("a resumed answer has its tokens handed over first", async () => {
  const { promptTokenIds } = asking(1);
  const resumed = await generate(openToyEngine().engine, {
    ...asking(1),
    promptTokenIds: [...Array.from(promptTokenIds), 8, 1],
    answerStart: promptTokenIds.length,
    stop: { maxTokens: 20 },
    openConstraint: choose([[8, 1, 20, 6]]),
  });
  expect(resumed.tokenIds).toEqual([20, 6]);
  expect(resumed.text).toBe("tf");
});

test("a constraint that is done ends the answer before minTokens; held text is shown", async () => {
  const { text, finished } = await generate(openToyEngine().engine, {
    ...asking(1),
    stop: { maxTokens: 20, minTokens: 9, strings: ["gx"] },
    openConstraint: choose([
      [7, 7],
      [7, 7, 9],
    ]),
    sampling: { temperature: 0, logitBias: [[9, -100]] },
  });
  expect(finished?.reason).toBe("end-of-sequence");
  expect(["gg", "ggi"]).toContain(text);
});

test("a request with a constraint and ignoreEos is refused, and nothing is opened", () => {
  const { engine } = openToyEngine();
  const request = { ...asking(1), openConstraint: choose(choices), stop: { ignoreEos: true } };
  expect(() => generate(engine, request)).toThrow(/ignoreEos: expected false/);
  expect(opened).toEqual([]);
});

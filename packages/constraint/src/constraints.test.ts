// Isolation: what one grammar breaks, no other answer pays for, and the next finds all well.
import { afterEach, expect, test, vi } from "vitest";
import type { ConstraintLimits } from "./constraint-limits.ts";
import type { ConstraintSpec } from "./constraint-spec.ts";
import type { Constraints } from "./constraints.ts";
import { permitted, seededRandom, walk } from "./testing/random-walk.ts";
import { openBundled } from "./testing/vocabularies.ts";

vi.setConfig({ testTimeout: 120_000 });

const vocabulary = await openBundled();
const { tokenizer, vocabSize, eosTokenId } = vocabulary;
let open: Constraints[] = [];
afterEach(async () => {
  await Promise.all(open.map((constraints) => constraints.close()));
  open = [];
});

function create(limits?: Partial<ConstraintLimits>): Constraints {
  const constraints = vocabulary.createConstraints(limits);
  open.push(constraints);
  return constraints;
}

const yesOrNo: ConstraintSpec = { kind: "choice", options: ["yes", "no"] };
const chat = { continuesText: false } as const;

async function answer(constraints: Constraints, spec = yesOrNo): Promise<string> {
  const checked = await constraints.check(spec);
  const options = { ...vocabulary, random: seededRandom(3), continuesText: false };
  return (await walk(checked.open(chat), options)).text;
}

test("a grammar that aborts the engine fails alone, while others are followed", async () => {
  const constraints = create();
  const checked = await constraints.check(yesOrNo);
  const constraint = checked.open(chat);
  await constraint.advance(undefined);
  const bad = Array.from({ length: 5 }, (_, i) =>
    constraints.check({ kind: "grammar", grammar: `root ::= missing${i}` }),
  );
  const good = [answer(constraints), answer(constraints, { kind: "regex", pattern: "[ab]{3}" })];
  for (const [i, result] of (await Promise.allSettled(bad)).entries()) {
    expect(result).toMatchObject({ status: "rejected", reason: { code: "invalid-grammar" } });
    expect(String((result as PromiseRejectedResult).reason)).toContain(`missing${i}`);
  }
  expect(["yes", "no"]).toContain(await good[0]);
  expect(await good[1]).toMatch(/^[ab]{3}$/);
  const yes = tokenizer.encode("yes")[0]!;
  expect((await constraint.advance(yes)).isComplete).toBe(yes === tokenizer.encode("yes").at(-1));
  constraint.close();
});

test("a grammar that takes too long to compile is refused by the limit, and the next is well", async () => {
  const constraints = create({ compileMs: 60_000 });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const checked = constraints.check(yesOrNo);
  await runOut(60_000);
  await expect(checked).rejects.toMatchObject({
    code: "invalid-grammar",
    message: expect.stringContaining("compileMs, 60000 ms"),
  });
  // Time is no fact about a grammar: the same one may be tried again.
  expect(["yes", "no"]).toContain(await answer(constraints));
});

test("a mask that takes too long fails the answers of its thread, and of no other", async () => {
  const constraints = create({ maskMs: 60_000, numThreads: 2 });
  const checked = await constraints.check({ kind: "regex", pattern: "a*" });
  // Each thread takes the next: the first and the third share one.
  const opened = [checked.open(chat), checked.open(chat), checked.open(chat)];
  for (const constraint of opened) await constraint.advance(undefined);
  const a = tokenizer.encode("a").at(-1)!;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const [first, third] = [opened[0]!.advance(a), opened[2]!.advance(a)];
  const failures = Promise.allSettled([first, third]);
  await runOut(60_000);
  const second = opened[1]!.advance(a);
  const [overrun, beside] = await failures;
  expect(overrun).toMatchObject({ reason: { code: "invalid-grammar" } });
  expect((overrun as PromiseRejectedResult).reason.message).toContain("maskMs, 60000 ms");
  expect(beside).toMatchObject({ reason: { code: "failed" } });
  expect((await second).isComplete).toBe(false);
  for (const constraint of opened) constraint.close();
  expect(["yes", "no"]).toContain(await answer(constraints));
});

/** Lets a limit of time pass before any thread can have answered. */
async function runOut(ms: number): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
  vi.advanceTimersByTime(ms);
  vi.useRealTimers();
}

test("memory is bounded", async () => {
  const constraints = create({ threadBytesMax: 48 * 1024 * 1024, compileMs: 60_000 });
  expect(["yes", "no"]).toContain(await answer(constraints));
  const pattern = "(\\p{L}{0,200}\\p{N}{0,200}){0,40}";
  await expect(constraints.check({ kind: "regex", pattern })).rejects.toMatchObject({
    code: "invalid-grammar",
    message: expect.stringContaining("threadBytesMax"),
  });
  expect(["yes", "no"]).toContain(await answer(constraints));
});

test("more than may wait are told to come again", async () => {
  const constraints = create({ compileQueueMax: 2 });
  const results = await Promise.allSettled(
    ["a", "b", "c", "a"].map((pattern) => constraints.check({ kind: "regex", pattern })),
  );
  // The fourth waits for the first's trial: it is the same.
  expect(results.map((result) => result.status)).toEqual([
    "fulfilled",
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  expect((results[2] as PromiseRejectedResult).reason).toMatchObject({ code: "overloaded" });
});

test("many grammars through a small cache, each still its own", async () => {
  const constraints = create({ cachedGrammarsMax: 2, numThreads: 1 });
  for (let round = 0; round < 2; round++) {
    const opened = [];
    for (let i = 0; i < 6; i++) {
      const checked = await constraints.check({ kind: "choice", options: [`text ${i}`] });
      opened.push(checked.open(chat));
    }
    // All are open at once, so grammars are dropped from the cache while they are in use.
    for (const [i, constraint] of opened.entries()) {
      const options = { ...vocabulary, random: seededRandom(i), continuesText: false };
      expect((await walk(constraint, options)).text).toBe(`text ${i}`);
    }
  }
});

test("the end is permitted exactly where the text is whole", async () => {
  const constraints = create();
  const pattern = "ab(c|d{2})?";
  const checked = await constraints.check({ kind: "regex", pattern });
  const random = seededRandom(5);
  for (let i = 0; i < 40; i++) {
    const constraint = checked.open({ continuesText: true });
    const decoder = tokenizer.createStreamDecoder({ continuesText: true });
    let text = "";
    let mask = await constraint.advance(undefined);
    for (;;) {
      const allowed = mask.isComplete ? [eosTokenId] : permitted(mask.bits, vocabSize);
      expect(allowed.includes(eosTokenId), text).toBe(new RegExp(`^(?:${pattern})$`).test(text));
      const others = allowed.filter((id) => id !== eosTokenId);
      expect(others.some((id) => tokenizer.isControlToken(id))).toBe(false);
      if (others.length === 0) break;
      const tokenId = others[Math.floor(random() * others.length)]!;
      text += decoder.push(tokenId);
      mask = await constraint.advance(tokenId);
    }
    constraint.close();
  }
});

test("an answer's first token loses its prefix, one that goes on from a text does not", async () => {
  const constraints = create();
  const checked = await constraints.check({ kind: "choice", options: ["yes", " yes"] });
  const first = async (continuesText: boolean): Promise<string[]> => {
    const constraint = checked.open({ continuesText });
    const mask = await constraint.advance(undefined);
    const decoded = permitted(mask.bits, vocabSize).map((id) => {
      const decoder = tokenizer.createStreamDecoder({ continuesText });
      return decoder.push(id) + decoder.flush();
    });
    constraint.close();
    return decoded;
  };
  for (const continuesText of [false, true]) {
    const texts = await first(continuesText);
    // Some piece begins each of the two, and none begins another.
    expect(texts.some((text) => text.startsWith("y"))).toBe(true);
    expect(texts.some((text) => text.startsWith(" ")) || !continuesText).toBe(true);
    for (const text of texts) {
      expect(
        ["yes", " yes"].some((option) => option.startsWith(text)),
        text,
      ).toBe(true);
    }
  }
});

test("a token that the mask did not allow is refused", async () => {
  const constraints = create();
  const constraint = (await constraints.check(yesOrNo)).open(chat);
  await constraint.advance(undefined);
  await expect(constraint.advance(tokenizer.encode("z")[0])).rejects.toThrow("does not allow");
  constraint.close();
});

test("what is closed lets go: a thousand answers, one after the other", async () => {
  const constraints = create({ threadBytesMax: 96 * 1024 * 1024, numThreads: 1 });
  const checked = await constraints.check({ kind: "json-object" });
  for (let i = 0; i < 1_000; i++) {
    const constraint = checked.open(chat);
    const mask = await constraint.advance(undefined);
    const brace = permitted(mask.bits, vocabSize)[0]!;
    await constraint.advance(brace);
    constraint.close();
    constraint.close();
  }
});

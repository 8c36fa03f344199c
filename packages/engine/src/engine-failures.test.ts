import type { ExpertId } from "@octet/core";
import { KernelError } from "@octet/kernels";
import fc from "fast-check";
import { expect, test } from "vitest";
import { EngineError } from "./engine-error.ts";
import { type ExpertCallCode, ExpertCallError } from "./expert-client.ts";
import { rowOf } from "./fixture/toy-attention-engine.ts";
import {
  generate,
  generateAlone,
  letterDecoder,
  openToyEngine,
  type ToyAnswer,
  type ToyRequest,
  toyRequests,
  unheldBlocks,
} from "./fixture/toy-engine.ts";
import { hang, type Intercept, type ToyCall } from "./fixture/toy-expert-client.ts";

const codes: ExpertCallCode[] = [
  "unavailable",
  "device-lost",
  "deadline-exceeded",
  "cancelled",
  "not-held",
  "bad-shape",
  "non-finite",
  "internal",
];

/** Fails the calls to one expert of one layer that satisfy `when`. */
function failing(code: ExpertCallCode, when: (call: ToyCall) => boolean): Intercept {
  return (call) => {
    if (when(call)) throw new ExpertCallError(code, call, { detail: "on purpose" });
  };
}

/** The answers of requests in one batch, and of each by itself, under the same failures. */
async function bothWays(requests: readonly ToyRequest[], open: () => Intercept) {
  const alone: ToyAnswer[] = [];
  for (const request of requests) {
    alone.push(await generate(openToyEngine({ intercept: open() }).engine, request));
  }
  const setup = openToyEngine({ intercept: open() });
  const together = await Promise.all(requests.map((request) => generate(setup.engine, request)));
  setup.engine.checkIntegrity();
  expect(unheldBlocks(setup.engine)).toBe(200);
  return { alone, together };
}

const codeOf = (error: unknown) => (error instanceof EngineError ? error.code : undefined);
const outcomeOf = ({ tokenIds, error, finished }: ToyAnswer) => ({
  tokenIds,
  code: codeOf(error),
  expertId: error instanceof EngineError ? error.expertId : undefined,
  reason: finished?.reason,
});

test("an expert that is gone fails exactly the sequences that need it", async () => {
  // Short ones: in a long answer every expert of every layer has its turn.
  const requests = toyRequests(8).map((request, i) => ({
    ...request,
    promptTokenIds: Array.from(request.promptTokenIds).slice(0, 1 + (i % 3)),
    stop: { maxTokens: 1 + (i % 2) },
  }));
  let numFailed = 0;
  let numSpared = 0;
  for (const code of codes) {
    for (const [layer, expertId] of [
      [0, 3],
      [1, 0],
      [2, 2],
    ]) {
      const isGone = (call: ToyCall) => call.layer === layer && call.expertId === expertId;
      const { alone, together } = await bothWays(requests, () => failing(code, isGone));
      expect(together.map(outcomeOf)).toEqual(alone.map(outcomeOf));
      const failed = together.filter((answer) => answer.error !== undefined);
      numFailed += failed.length;
      numSpared += together.length - failed.length;
      for (const { error } of failed) {
        expect(error).toMatchObject({ code: "expert-unavailable", expertId });
        expect((error as Error).message).toContain(`expert ${expertId}`);
      }
    }
  }
  expect(numFailed).toBeGreaterThan(0);
  expect(numSpared).toBeGreaterThan(0);
});

test("a row that spoils its call takes no other sequence with it", async () => {
  const spoils = (row: Float32Array) => row[0]! > 1.5 && row[1]! < 0;
  const isSpoilt = ({ input }: ToyCall) =>
    Array.from({ length: input.rows }, (_, i) => rowOf(input, i)).some(spoils);
  const requests = toyRequests(8);
  const { alone, together } = await bothWays(requests, () => failing("non-finite", isSpoilt));
  const tokensAndCode = together.map(({ tokenIds, error }) => [tokenIds, codeOf(error)]);
  expect(tokensAndCode).toEqual(alone.map(({ tokenIds, error }) => [tokenIds, codeOf(error)]));
  const failed = together.filter((answer) => answer.error !== undefined).length;
  expect(failed).toBeGreaterThan(0);
  expect(failed).toBeLessThan(8);
});

test("a failure that passes costs the sequences of that call and no others", async () => {
  const requests = toyRequests(8);
  const alone = await generateAlone(requests);
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 120 }), fc.constantFrom(...codes), async (nth, code) => {
      const { engine, experts } = openToyEngine();
      experts.intercept = failing(code, () => experts.numCalls === nth);
      const answers = await Promise.all(requests.map((request) => generate(engine, request)));
      answers.forEach((answer, i) => {
        if (answer.error === undefined) expect(answer.tokenIds).toEqual(alone[i]!.tokenIds);
        else expect(alone[i]!.tokenIds.slice(0, answer.tokenIds.length)).toEqual(answer.tokenIds);
      });
      engine.checkIntegrity();
    }),
    { numRuns: 40 },
  );
});

test("an expert that hangs costs its deadline once, however many need it", async () => {
  let nowMs = 0;
  const { engine, experts } = openToyEngine({
    nowMs: () => nowMs,
    limits: { expertDeadlineMs: 1000, expertRowMs: 1 },
  });
  experts.intercept = (call, { deadlineMs }) => {
    if (call.expertId !== 0) return;
    nowMs += deadlineMs;
    throw new ExpertCallError("deadline-exceeded", call, { detail: "no answer" });
  };
  const answers = await Promise.all(toyRequests(6).map((request) => generate(engine, request)));
  const failed = answers.filter((answer) => answer.error !== undefined);
  expect(failed.length).toBeGreaterThan(2);
  // One deadline for each step in which somebody failed; a first step of many is one of them.
  const lengths = new Set(failed.map((answer) => answer.tokenIds.length));
  // Its rows, a millisecond each, are fewer than a hundred.
  expect(Math.floor(nowMs / 100)).toBe(10 * lengths.size);
});

test("a call may take longer the more rows it has", async () => {
  const limits = { expertDeadlineMs: 1000, expertRowMs: 7 };
  const { engine, experts } = openToyEngine({ nowMs: () => 0, limits });
  const rowsSeen = new Set<number>();
  experts.intercept = (call, { deadlineMs }) => {
    rowsSeen.add(call.input.rows);
    expect(deadlineMs).toBe(1000 + 7 * call.input.rows);
  };
  await Promise.all(toyRequests(6).map((request) => generate(engine, request)));
  expect(rowsSeen.size).toBeGreaterThan(2);
});

test("an answer of the wrong shape is that expert's failure", async () => {
  const { engine, experts } = openToyEngine();
  const forward = experts.forward.bind(experts);
  experts.forward = async (call, options) => {
    const reply = await forward(call, options);
    return call.expertId === 1 ? { ...reply, output: { ...reply.output, width: 3 } } : reply;
  };
  const answers = await Promise.all(toyRequests(6).map((request) => generate(engine, request)));
  const failed = answers.filter((answer) => answer.error !== undefined);
  expect(failed.length).toBeGreaterThan(0);
  for (const { error } of failed) {
    expect(error).toMatchObject({ code: "expert-unavailable", expertId: 1 });
    expect((error as Error).message).toMatch(/expected \d+ rows of 4 f32, found \d+ of 3 f32/);
  }
});

test("a client that throws something else is still the expert's failure", async () => {
  const { engine } = openToyEngine({
    intercept: () => {
      throw new TypeError("surprise");
    },
  });
  const { error } = await generate(engine, { promptTokenIds: [3] });
  expect(error).toMatchObject({ code: "expert-unavailable" });
  expect((error as Error).message).toContain("surprise");
});

test("an engine failure fails its own sequence, and the others' tokens stay", async () => {
  const requests = toyRequests(6);
  const alone = await generateAlone(requests);
  const poison = requests[4]!.promptTokenIds[0]!;
  const { engine } = openToyEngine({
    beforeLayer: (layer, sequences) => {
      if (layer !== 1) return;
      if (!sequences.some((s) => s.startPosition === 0 && s.tokenIds[0] === poison)) return;
      throw new KernelError("non-finite", "the gate's logits hold NaN");
    },
  });
  const answers = await Promise.all(requests.map((request) => generate(engine, request)));
  answers.forEach((answer, i) => {
    if (i === 4) expect(answer.error).toMatchObject({ code: "internal" });
    else expect(answer.tokenIds).toEqual(alone[i]!.tokenIds);
  });
  const after = await generate(engine, requests[0]!);
  expect(after.tokenIds).toEqual(alone[0]!.tokenIds);
  engine.checkIntegrity();
});

test("a device that is lost for good fails its sequences as what may be asked again", async () => {
  const { engine } = openToyEngine({
    beforeLayer: () => {
      throw new KernelError("device-lost", "it was reset");
    },
  });
  const answers = await Promise.all(toyRequests(3).map((request) => generate(engine, request)));
  for (const { error } of answers) expect(error).toMatchObject({ code: "device-lost" });
  engine.checkIntegrity();
});

test("a decoder that throws fails its own sequence alone", async () => {
  const [request, other] = toyRequests(2);
  const { engine } = openToyEngine();
  const broken = {
    push: () => {
      throw new Error("no such token");
    },
    flush: () => "",
  };
  const events = engine.generate({ ...request!, decoder: broken });
  const beside = generate(engine, other!);
  await events.next();
  await expect(events.next()).rejects.toMatchObject({ code: "internal" });
  expect((await beside).finished).toBeDefined();
  engine.checkIntegrity();
});

test("what failed is logged by code and never by text", async () => {
  const logged: unknown[] = [];
  const { engine } = openToyEngine({
    intercept: failing("unavailable", () => true),
    log: { warn: (event, fields) => logged.push({ event, ...fields }) },
  });
  await generate(engine, { promptTokenIds: [7] });
  expect(logged).toEqual([
    {
      event: "sequence failed",
      sequenceId: 0,
      errorCode: "expert-unavailable",
      expertId: expect.any(Number) as ExpertId,
    },
  ]);
});

test("the engine goes on after every expert was gone and came back", async () => {
  const request = toyRequests(1)[0]!;
  const [alone] = await generateAlone([request]);
  const { engine, experts } = openToyEngine({ intercept: failing("unavailable", () => true) });
  expect((await generate(engine, request)).error).toMatchObject({ code: "expert-unavailable" });
  experts.intercept = undefined;
  expect((await generate(engine, request)).tokenIds).toEqual(alone!.tokenIds);
});

test("closing cancels what hangs", async () => {
  const { engine, experts } = openToyEngine({ intercept: hang });
  const answers = toyRequests(3).map((request) => generate(engine, request));
  const waiting = engine.generate({ promptTokenIds: [3], decoder: letterDecoder() });
  await waiting.next();
  while (experts.numUnderWay === 0) await new Promise((resolve) => setImmediate(resolve));
  await engine.close();
  for (const answer of await Promise.all(answers)) {
    expect(answer.error).toMatchObject({ code: "cancelled" });
  }
  await expect(waiting.next()).rejects.toMatchObject({ code: "cancelled" });
  await experts.close();
  engine.checkIntegrity();
  expect(unheldBlocks(engine)).toBe(200);
});

// Several answers in one stream, with all that deltas carry, over streams that break anywhere.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type ServerWritableStream, status } from "@grpc/grpc-js";
import {
  type ChatDelta,
  type ChatRequest,
  type ChatResponseSchema,
  FinishReason,
  type TokenLogprobsSchema,
} from "@octet/protocol";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import type { AnswerEvent } from "./delivered-stream.ts";
import { AnswerChangedError, UnavailableError } from "./errors.ts";
import { OctetClient } from "./octet-client.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { fail, type GenerateCall, serveScript } from "./testing/scripted-coordinator.ts";

const open: (AsyncDisposable | Disposable)[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) {
    if (Symbol.dispose in one) one[Symbol.dispose]();
    else await one[Symbol.asyncDispose]();
  }
});

type ChatCall = ServerWritableStream<ChatRequest, MessageInitShape<typeof ChatResponseSchema>>;
type Logprobs = MessageInitShape<typeof TokenLogprobsSchema>;

async function connect(scripts: {
  generate?: (call: GenerateCall, attempt: number) => void;
  chat?: (call: ChatCall) => void;
}) {
  const { generate = () => {}, chat = () => {} } = scripts;
  const server = await serveScript(generate, { chat });
  const client = new OctetClient(server.address, { clock: new ManualClock(), random: () => 0.5 });
  open.push(server, client);
  return client;
}

/** One token at one place of an answer. */
interface Step {
  readonly tokenId: number;
  readonly text: string;
  /** Whether a call of a tool is complete with it. */
  readonly calls: boolean;
}

/** How one attempt goes: whose turn it is, how many steps a delta joins, after how many events it breaks. */
interface Attempt {
  readonly turns: readonly number[];
  readonly joined: number;
  readonly breaksAfter: number;
}

function logprobOf(tokenId: number): Logprobs {
  const chosen = { tokenId, logprob: Math.fround(-tokenId / 7), text: `t${tokenId}` };
  return { chosen, rank: 1, top: [chosen] };
}

/** The events of one attempt from the first on, of answers that take turns. */
function* eventsOf(answers: readonly (readonly Step[])[], { turns, joined }: Attempt) {
  const rest = answers.map((steps, index) => ({ index, steps: [...steps], numCalls: 0 }));
  for (let turn = 0; rest.length > 0; turn++) {
    const position = (turns[turn % Math.max(1, turns.length)] ?? 0) % rest.length;
    const answer = rest[position]!;
    const { index } = answer;
    const steps = answer.steps.splice(0, joined);
    if (steps.length === 0) {
      rest.splice(position, 1);
      const reason = answer.numCalls > 0 ? FinishReason.TOOL_CALLS : FinishReason.LENGTH;
      yield { event: { case: "finished", value: { index, reason } } } as const;
      continue;
    }
    const toolCalls = steps
      .filter(({ calls }) => calls)
      .map(() => ({ id: `${index}-${answer.numCalls++}`, name: "look_up", argumentsJson: "{}" }));
    const value = {
      index,
      text: steps.map(({ text }) => text).join(""),
      tokenIds: steps.map(({ tokenId }) => tokenId),
      logprobs: steps.map(({ tokenId }) => logprobOf(tokenId)),
      toolCalls,
    };
    yield { event: { case: "delta", value } } as const;
  }
}

const step = fc.record({
  tokenId: fc.nat(99),
  text: fc.string({ unit: "binary", maxLength: 3 }),
  calls: fc.boolean(),
});
const attempt = fc.record({
  turns: fc.array(fc.nat(7), { minLength: 1, maxLength: 6 }),
  joined: fc.integer({ min: 1, max: 4 }),
  breaksAfter: fc.nat(16),
});
const broken = fc.record({
  answers: fc.array(fc.array(step, { maxLength: 8 }), { minLength: 1, maxLength: 3 }),
  attempts: fc.array(attempt, { minLength: 1, maxLength: 5 }),
});

test("every answer arrives whole and once, its parts in step, wherever streams break", async () => {
  let plan: { answers: readonly (readonly Step[])[]; attempts: readonly Attempt[] };
  let asked = 0;
  const client = await connect({
    chat: (call) => {
      call.on("error", () => {});
      call.write({ event: { case: "started", value: { requestId: "r", seed: 5n } } });
      const now = plan.attempts[Math.min(asked, plan.attempts.length - 1)]!;
      const events = [...eventsOf(plan.answers, now)];
      const isLast = ++asked >= plan.attempts.length;
      for (const event of isLast ? events : events.slice(0, now.breaksAfter)) call.write(event);
      if (isLast) call.end();
      else call.emit("error", { code: status.UNAVAILABLE, details: "as scripted" });
    },
  });
  await fc.assert(
    fc.asyncProperty(broken, async (one) => {
      plan = one;
      asked = 0;
      const n = plan.answers.length;
      const events: AnswerEvent<ChatDelta>[] = [];
      for await (const event of client.chat({ messages: [], n })) events.push(event);
      expect(events.at(-1)!.case).toBe("finished");
      for (const [index, steps] of plan.answers.entries()) {
        const mine = events.filter(
          (event) =>
            (event.case === "delta" || event.case === "finished") && event.value.index === index,
        );
        expect(mine.filter((event) => event.case === "finished")).toHaveLength(1);
        expect(mine.at(-1)!.case).toBe("finished");
        const deltas = mine.flatMap((event) => (event.case === "delta" ? [event.value] : []));
        for (const { tokenIds, logprobs } of deltas) {
          expect(logprobs.map(({ chosen }) => chosen!.tokenId)).toEqual(tokenIds);
        }
        expect(deltas.map(({ text }) => text).join("")).toBe(steps.map((s) => s.text).join(""));
        expect(deltas.flatMap(({ tokenIds }) => tokenIds)).toEqual(steps.map((s) => s.tokenId));
        const calls = steps.filter((s) => s.calls).map((_, i) => `${index}-${i}`);
        expect(deltas.flatMap(({ toolCalls }) => toolCalls.map(({ id }) => id))).toEqual(calls);
      }
    }),
    { numRuns: 100 },
  );
});

type Send = (call: ChatCall) => void;
const call = { id: "aaaaaaaaa", name: "look_up", argumentsJson: '{"word":"owl"}' };

function sendDelta(value: object): Send {
  return (to) => to.write({ event: { case: "delta", value } });
}

function sendEnd(index: number, reason: FinishReason = FinishReason.LENGTH): Send {
  return (to) => to.write({ event: { case: "finished", value: { index, reason } } });
}

const whole = sendDelta({ index: 0, logprobs: [logprobOf(4)], toolCalls: [call] });
const changes: [string, Send[]][] = [
  ["another log-probability", [sendDelta({ logprobs: [{ chosen: { tokenId: 4, logprob: -9 } }] })]],
  ["another token's", [sendDelta({ logprobs: [logprobOf(5)] })]],
  [
    "a call with other arguments",
    [sendDelta({ logprobs: [logprobOf(4)], toolCalls: [{ ...call, argumentsJson: "{}" }] })],
  ],
  ["no call", [sendDelta({ logprobs: [logprobOf(4)] }), sendEnd(0)]],
  ["what belongs to another answer", [sendDelta({ index: 1, text: "b" }), sendEnd(0)]],
  ["more after an end", [whole, sendDelta({ index: 1, text: "b" })]],
  ["an end for another reason", [sendEnd(1, FinishReason.STOP)]],
];

test.each(changes)("a resent stream with %s is refused as changed", async (_what, resend) => {
  let asked = 0;
  const client = await connect({
    chat: (to) => {
      to.on("error", () => {});
      to.write({ event: { case: "started", value: { requestId: "r", seed: 5n } } });
      if (asked++ === 0) {
        whole(to);
        sendEnd(1)(to);
        to.emit("error", { code: status.UNAVAILABLE });
        return;
      }
      for (const send of resend) send(to);
      to.end();
    },
  });
  const error = await client
    .chat({ messages: [], n: 2 })
    .completeAll()
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AnswerChangedError);
  expect(String(error)).not.toContain("owl");
});

/** A stream that tells of its prompt, breaks, tells it again in other pieces, and goes on. */
function tellPrompt(
  to: GenerateCall,
  { pieces, computed }: { pieces: number[][]; computed: number[] },
) {
  to.write({ event: { case: "started", value: { requestId: "r", seed: 5n } } });
  for (const computedTokens of computed) {
    to.write({ event: { case: "progress", value: { promptTokens: 9, computedTokens } } });
  }
  for (const piece of pieces) {
    const tokens = piece.map(logprobOf);
    to.write({ event: { case: "promptLogprobs", value: { tokens } } });
  }
}

test("what is told of the prompt is told once, and progress never goes back", async () => {
  const client = await connect({
    generate: (to, attempt) => {
      if (attempt === 0) {
        tellPrompt(to, { pieces: [[1, 2], [3]], computed: [3, 6] });
        fail(to, status.UNAVAILABLE);
        return;
      }
      tellPrompt(to, { pieces: [[1], [2, 3, 4], [5]], computed: [2, 6, 9] });
      to.write({ event: { case: "delta", value: { text: "a" } } });
      to.write({ event: { case: "finished", value: { reason: FinishReason.LENGTH } } });
      to.end();
    },
  });
  const told: [string, unknown][] = [];
  for await (const { case: kind, value } of client.generate({ text: "x" })) {
    if (kind === "progress") told.push([kind, value.computedTokens]);
    else if (kind === "promptLogprobs") {
      told.push([kind, value.tokens.map(({ chosen }) => chosen!.tokenId)]);
    } else told.push([kind, undefined]);
  }
  expect(told).toEqual([
    ["started", undefined],
    ["progress", 3],
    ["progress", 6],
    ["promptLogprobs", [1, 2]],
    ["promptLogprobs", [3]],
    ["progress", 9],
    ["promptLogprobs", [4]],
    ["promptLogprobs", [5]],
    ["delta", undefined],
    ["finished", undefined],
  ]);
});

test("another prompt's log-probabilities, or fewer, are refused as changed", async () => {
  for (const pieces of [[[1, 7]], [[1]]]) {
    const client = await connect({
      generate: (to, attempt) => {
        tellPrompt(to, { pieces: attempt === 0 ? [[1, 2]] : pieces, computed: [] });
        if (attempt === 0) return fail(to, status.UNAVAILABLE);
        to.write({ event: { case: "finished", value: { reason: FinishReason.LENGTH } } });
        to.end();
      },
    });
    const answer = client.generate({ text: "x" }).complete();
    await expect(answer).rejects.toBeInstanceOf(AnswerChangedError);
  }
});

test("without resume a stream that told of its prompt is not asked for again", async () => {
  let asked = 0;
  const client = await connect({
    generate: (to) => {
      asked++;
      tellPrompt(to, { pieces: [[1]], computed: [2] });
      fail(to, status.UNAVAILABLE);
    },
  });
  const answer = client.generate({ text: "x" }, { resume: false }).text();
  await expect(answer).rejects.toBeInstanceOf(UnavailableError);
  expect(asked).toBe(1);
});

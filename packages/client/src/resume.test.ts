// Streams that break anywhere, and are sent again in other pieces.
import { status } from "@grpc/grpc-js";
import { FinishReason } from "@octet/protocol";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import type { GenerateEvent } from "./delivered-stream.ts";
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

async function connect(script: (call: GenerateCall, attempt: number) => void) {
  const server = await serveScript(script);
  const client = new OctetClient(server.address, { clock: new ManualClock(), random: () => 0.5 });
  open.push(server, client);
  return { client, server };
}

interface Piece {
  readonly text: string;
  readonly tokenIds: readonly number[];
}

function start(call: GenerateCall, seed: bigint, promptTokens = 3): void {
  call.write({
    event: { case: "started", value: { requestId: "r", model: "m", promptTokens, seed } },
  });
}

function send(call: GenerateCall, pieces: readonly Piece[]): void {
  for (const { text, tokenIds } of pieces) {
    call.write({ event: { case: "delta", value: { text, tokenIds: [...tokenIds] } } });
  }
}

function finish(call: GenerateCall): void {
  call.write({ event: { case: "finished", value: { reason: FinishReason.LENGTH } } });
  call.end();
}

/** An answer, and how each attempt cuts it into deltas and where it breaks. */
const broken = fc.record({
  pieces: fc.array(
    fc.record({
      text: fc.string({ unit: "binary", maxLength: 3 }),
      tokenIds: fc.array(fc.nat(99), { maxLength: 2 }),
    }),
    { maxLength: 12 },
  ),
  details: fc.boolean(),
  /** For each attempt: how many pieces a delta joins, and after how many deltas it breaks. */
  attempts: fc.array(
    fc.record({
      joined: fc.integer({ min: 1, max: 4 }),
      deltas: fc.nat(12),
      started: fc.boolean(),
    }),
    { maxLength: 5 },
  ),
});

function join(pieces: readonly Piece[], joined: number): Piece[] {
  return Array.from({ length: Math.ceil(pieces.length / joined) }, (_, i) => {
    const some = pieces.slice(i * joined, (i + 1) * joined);
    return { text: some.map((p) => p.text).join(""), tokenIds: some.flatMap((p) => p.tokenIds) };
  });
}

test("an answer arrives whole and once, wherever its streams break", async () => {
  let plan: {
    pieces: readonly Piece[];
    attempts: readonly { joined: number; deltas: number; started: boolean }[];
  };
  let attempt = 0;
  const seeds: (bigint | undefined)[] = [];
  const { client } = await connect((call) => {
    const breaks = plan.attempts[attempt++];
    seeds.push(call.request.sampling?.seed);
    if (breaks?.started === false) return fail(call, status.UNAVAILABLE);
    start(call, call.request.sampling?.seed ?? 77n);
    send(call, join(plan.pieces, breaks?.joined ?? 1).slice(0, breaks?.deltas));
    if (breaks === undefined) finish(call);
    else fail(call, status.UNAVAILABLE);
  });
  await fc.assert(
    fc.asyncProperty(broken, async ({ pieces, details, attempts }) => {
      plan = {
        pieces: details ? pieces : pieces.map(({ text }) => ({ text, tokenIds: [] })),
        attempts,
      };
      attempt = 0;
      seeds.length = 0;
      const events: GenerateEvent[] = [];
      for await (const event of client.generate({ text: "x" })) events.push(event);
      const kinds = events.map((event) => event.case);
      expect(kinds.indexOf("started")).toBe(0);
      expect(kinds.lastIndexOf("started")).toBe(0);
      expect(kinds.indexOf("finished")).toBe(kinds.length - 1);
      const deltas = events.flatMap((event) => (event.case === "delta" ? [event.value] : []));
      expect(deltas.map((delta) => delta.text).join("")).toBe(
        plan.pieces.map((p) => p.text).join(""),
      );
      expect(deltas.flatMap((delta) => delta.tokenIds)).toEqual(
        plan.pieces.flatMap((p) => p.tokenIds),
      );
      // Once a seed was seen it is asked for, so that the second asking is the same question.
      const firstStarted = attempts.findIndex((one) => one.started);
      const asked = seeds.map((_, i) => (firstStarted >= 0 && i > firstStarted ? 77n : undefined));
      expect(seeds).toEqual(asked);
    }),
    { numRuns: 60 },
  );
});

test.each<[string, (call: GenerateCall) => void]>([
  ["other text", (call) => send(call, [{ text: "Once a", tokenIds: [1, 2] }])],
  [
    "other text of the same length",
    (call) => send(call, [{ text: "Once apon", tokenIds: [1, 2] }]),
  ],
  ["other tokens", (call) => send(call, [{ text: "Once upon", tokenIds: [1, 3] }])],
  ["a shorter answer", (call) => send(call, [{ text: "Once", tokenIds: [1] }])],
])(
  "a resent stream with %s ends in AnswerChangedError, and adds nothing",
  async (_what, resend) => {
    const { client } = await connect((call, attempt) => {
      start(call, 5n);
      if (attempt > 0) {
        resend(call);
        return finish(call);
      }
      send(call, [{ text: "Once upon", tokenIds: [1, 2] }]);
      fail(call, status.UNAVAILABLE, "an expert is away");
    });
    let text = "";
    const read = async () => {
      for await (const event of client.generate({ text: "x" })) {
        if (event.case === "delta") text += event.value.text;
      }
    };
    const error = await read().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AnswerChangedError);
    expect(error).toMatchObject({ code: "ABORTED", cause: { details: "an expert is away" } });
    expect(String(error)).not.toContain("Once");
    expect(text).toBe("Once upon");
  },
);

test("a resent stream with another prompt length or seed is refused as changed", async () => {
  for (const [seed, promptTokens] of [
    [6n, 3],
    [5n, 4],
  ] as const) {
    const { client } = await connect((call, attempt) => {
      if (attempt > 0) return start(call, seed, promptTokens);
      start(call, 5n, 3);
      send(call, [{ text: "a", tokenIds: [] }]);
      fail(call, status.UNAVAILABLE);
    });
    await expect(client.generate({ text: "x" }).text()).rejects.toBeInstanceOf(AnswerChangedError);
  }
});

test("without resume a stream is asked for again only while nothing was delivered", async () => {
  const { client, server } = await connect((call, attempt) => {
    start(call, 5n);
    if (attempt > 0) send(call, [{ text: "a", tokenIds: [] }]);
    fail(call, status.UNAVAILABLE);
  });
  const answer = client.generate({ text: "x" }, { resume: false }).text();
  await expect(answer).rejects.toBeInstanceOf(UnavailableError);
  expect(server.requests).toHaveLength(2);
});

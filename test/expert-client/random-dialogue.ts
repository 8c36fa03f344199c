// A long talk with a worker, the same for the same seed however the worker answers, and all that
// came of it.
import type { ActivationRows, WeightDtype } from "@octet/core";
import {
  ActivationDtypeCode,
  ForwardRequestSchema,
  toActivationRowsMessage,
} from "@octet/protocol";
import { encode } from "../../packages/protocol/src/forward-encoding.ts";
import { frame, frames } from "../faults/raw-http2.ts";
import { oneOf, randomBytes, seededRandom, wholeBetween } from "../faults/seeded-random.ts";
import {
  pingFrame,
  prefixed,
  RawCoordinator,
  toCancel,
  toMessage,
  toRequest,
  type WireCall,
} from "./raw-coordinator.ts";
import { heldExperts, randomRows, tinyExpertModel, withNumber } from "./tiny-experts.ts";

/** What a dialogue is made of. */
export interface DialogueOptions {
  readonly weightDtype: WeightDtype;
  readonly seed: number;
  readonly numTurns: number;
}

/** All that a client can tell one worker from another by, but for times. */
export interface Dialogue {
  /** By call id: the output's bits, or the failure. */
  readonly answers: ReadonlyMap<bigint, readonly string[]>;
  readonly cancelled: ReadonlySet<bigint>;
  readonly pongs: readonly string[];
  readonly ends: readonly string[];
  readonly goaway: string | undefined;
  readonly isClosed: boolean;
  readonly violation: string | undefined;
}

type Random = () => number;

/** Talks to the worker at `address` until one of them ends it. */
export async function talk(
  address: string,
  { weightDtype, seed, numTurns }: DialogueOptions,
): Promise<Dialogue> {
  const random = seededRandom(seed);
  const windowBytes = oneOf(random, [65_535, 2 ** 20]);
  const givesBackAfterBytes = oneOf(random, [10_000, 30_000, windowBytes]);
  const windows = { windowBytes, givesBackAfterBytes };
  using coordinator = await RawCoordinator.open(address, windows);
  const talker = new Talker(coordinator, random, weightDtype);
  for (let turn = 0; turn < numTurns; turn++) {
    const isCalm = random() < 0.7;
    const moves: Buffer[] = [];
    const numMoves = wholeBetween(random, 1, 5);
    for (let i = 0; i < numMoves; i++) {
      moves.push(await (isCalm ? talker.plainCall() : talker.anyMove()));
    }
    await coordinator.write(cut(random, Buffer.concat(moves)));
    if (isCalm || random() < 0.6) await talker.untilAnswered();
  }
  await talker.untilAnswered();
  await talker.end();
  const { answers, pongs, ends, goaway, isClosed, violation } = coordinator;
  const told = Array.from(answers, ([id, all]) => [id, all.map(tell)] as const);
  const { cancelled } = talker;
  return { answers: new Map(told), cancelled, pongs, ends, goaway, isClosed, violation };
}

type Answer = RawCoordinator["answers"] extends Map<bigint, (infer Each)[]> ? Each : never;

function tell({ result }: Answer): string {
  if (result.case === "failure") return `failure ${result.value.code}: ${result.value.message}`;
  if (result.case === undefined) return "neither output nor failure";
  const { dtype, rows, width, data } = result.value;
  return `${rows} x ${width} of ${dtype}: ${Buffer.from(data).toString("base64")}`;
}

/** A call that is right, and its rows. */
type MadeCall = WireCall & { readonly rows: ActivationRows };

/** Makes up what a coordinator says next. */
class Talker {
  readonly cancelled = new Set<bigint>();
  readonly #coordinator: RawCoordinator;
  readonly #random: Random;
  readonly #weightDtype: WeightDtype;
  readonly #moves: readonly (() => Promise<Buffer>)[];
  /** Calls that were made since all were answered. */
  #open: bigint[] = [];
  #lastId = 0n;
  #numPings = 0;

  constructor(coordinator: RawCoordinator, random: Random, weightDtype: WeightDtype) {
    this.#coordinator = coordinator;
    this.#random = random;
    this.#weightDtype = weightDtype;
    const small = async () => this.#data(this.#encoded(this.#call(1, 64)));
    this.#moves = [
      small,
      small,
      () => this.plainCall(),
      async () => this.#data(this.#encoded(this.#call(65, 130))),
      async () => this.#data(toMessage(this.#wrongCall())),
      async () => this.#data(toMessage(this.#wrongCall())),
      () => this.#inTwoFrames(),
      async () => this.#data(this.#encoded(this.#call(1, 3)), this.#encoded(this.#call(1, 3))),
      async () => this.#data(this.#withUnknownField(this.#call(1, 3))),
      async () => this.#data(),
      async () => this.#data(this.#cancel()),
      async () => pingFrame(String(this.#numPings++).padStart(8)),
      async () => Buffer.concat(coordinator.windowFrames(256, [wholeBetween(random, 0, 1)])),
    ];
  }

  /** A small call in one frame, as most are. */
  plainCall(): Promise<Buffer> {
    return this.#data(this.#encoded(this.#call(1, 16)));
  }

  /** Frames to write, of calls or anything else. */
  anyMove(): Promise<Buffer> {
    return oneOf(this.#random, this.#moves)();
  }

  /** Resolves when each call has an answer, or was cancelled. */
  async untilAnswered(): Promise<void> {
    const isAnswered = (id: bigint) => this.#coordinator.answers.has(id) || this.cancelled.has(id);
    await this.#coordinator.until(() => this.#open.every(isAnswered));
    this.#open = [];
  }

  /** Says the last word, and hears all of the answer to it. */
  async end(): Promise<void> {
    const { data } = frames;
    const last = this.#encoded(this.#call(1, 3));
    const [lastWord, isOfConnection] = oneOf<[Buffer, boolean]>(this.#random, [
      [frame(data, Buffer.of(), 1, 1), false],
      [frame(data, last, 1, 1), false],
      [frame(data, last.subarray(0, 20), 1, 1), false],
      [frame(data, toRequest({}), 1), false],
      [frame(data, prefixed(Buffer.of(0xff, 0xff)), 1), false],
      [frame(data, Buffer.of(1, 0, 0, 0, 0), 1), false],
      [frame(data, Buffer.of(0), 7), true],
      [frame(frames.ping, Buffer.alloc(7)), true],
      [frame(frames.settings, Buffer.alloc(6)), true],
    ]);
    await this.#coordinator.write(cut(this.#random, lastWord));
    const { ends } = this.#coordinator;
    await this.#coordinator.until(() => ends.length > 0 && !isOfConnection);
    if (!isOfConnection) await this.#coordinator.untilHeard();
  }

  #data(...messages: readonly Buffer[]): Promise<Buffer> {
    return this.#coordinator.data(Buffer.concat(messages));
  }

  #call(rowsMin: number, rowsMax: number): MadeCall {
    const random = this.#random;
    const callId = ++this.#lastId;
    this.#open.push(callId);
    const rows = randomRows(random, this.#weightDtype, wholeBetween(random, rowsMin, rowsMax));
    return {
      callId,
      layer: wholeBetween(random, 0, tinyExpertModel.numLayers - 1),
      expertId: oneOf(random, heldExperts),
      input: toActivationRowsMessage(rows),
      rows,
    };
  }

  /** As our own coordinators write it, or the way of all protobuf. */
  #encoded({ rows: _rows, ...call }: MadeCall): Buffer {
    if (this.#random() < 0.5) return toMessage(call);
    const value = { timeoutMs: 60_000, ...call };
    return prefixed(encode(ForwardRequestSchema, { kind: { case: "call", value } }));
  }

  #wrongCall(): WireCall {
    const { rows, ...call } = this.#call(2, 4);
    const { input } = call;
    const { BF16, F32, Q8 } = ActivationDtypeCode;
    const dtypes = [0, F32, BF16, Q8, 99].filter((code) => code !== input!.dtype);
    const number = (value: number) => toActivationRowsMessage(withNumber(rows, value));
    return oneOf<() => WireCall>(this.#random, [
      () => ({ callId: call.callId }),
      () => ({ ...call, input: {} }),
      () => ({ ...call, input: { ...input, dtype: oneOf(this.#random, dtypes) } }),
      () => ({ ...call, input: { ...input, rows: oneOf(this.#random, [0, 1, 5, 1025, 2 ** 31]) } }),
      () => ({ ...call, input: { ...input, width: oneOf(this.#random, [0, 32, 65]) } }),
      () => ({ ...call, input: { ...input, data: input!.data!.subarray(1) } }),
      () => ({ ...call, input: { ...input, data: randomBytes(this.#random, 3000) } }),
      () => ({ ...call, input: number(Number.NaN) }),
      () => ({ ...call, input: number(Number.NEGATIVE_INFINITY) }),
      () => ({ ...call, input: number(3e38) }), // it is the result that is not finite
      () => ({ ...call, layer: oneOf(this.#random, [2, 3, 2 ** 32 - 1]) }),
      () => ({ ...call, expertId: oneOf(this.#random, [0, 3, 4, 2 ** 32 - 1]) }),
      () => ({ ...call, timeoutMs: 0 }),
    ])();
  }

  async #inTwoFrames(): Promise<Buffer> {
    const message = this.#encoded(this.#call(1, 3));
    const at = wholeBetween(this.#random, 0, message.length);
    const first = await this.#data(message.subarray(0, at));
    return Buffer.concat([first, await this.#data(message.subarray(at))]);
  }

  /** One of a number that nobody knows yet, which a reader passes over. */
  #withUnknownField({ rows: _rows, ...call }: MadeCall): Buffer {
    const message = toMessage(call).subarray(5);
    return prefixed(Buffer.concat([message, Buffer.of((15 << 3) | 0, 7)]));
  }

  #cancel(): Buffer {
    const ids = [oneOf(this.#random, [1n, this.#lastId, this.#lastId + 1n])];
    if (this.#open.length > 0) ids.push(oneOf(this.#random, this.#open));
    const ofOpen = ids.filter((id) => this.#open.includes(id));
    for (const id of ofOpen) this.cancelled.add(id);
    return toCancel(...ids);
  }
}

/** The bytes in one piece, or in several. */
function cut(random: Random, bytes: Buffer): Buffer[] {
  if (random() < 0.5) return [bytes];
  const places = Array.from({ length: wholeBetween(random, 1, 4) }, () =>
    wholeBetween(random, 0, bytes.length),
  );
  const edges = [0, ...places.sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((to, i) => bytes.subarray(edges[i], to));
}

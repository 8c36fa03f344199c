// The calls under way on one connection to a worker.
import { activationBytesMax, callsInFlightMax } from "@octet/core";
import type { ExpertCallCode } from "@octet/engine";
import {
  type DescribeResponse,
  type ForwardResponse,
  toActivationRowsMessage,
} from "@octet/protocol";
import { type Answerer, type AnswerShape, findDeviceLoss, settleWith } from "./answer.ts";
import type { CallHolder, PendingCall } from "./pending-call.ts";
import { openWorkerChannel, type WorkerChannel } from "./worker-channel.ts";

/** Bytes that may wait to be sent before further calls are refused: the peer does not read. */
const unsentBytesMax = 4 * activationBytesMax;

/** Has a call that a worker could not compute as it lost its device. */
export type OnDeviceLost = (call: PendingCall, detail: string) => void;

/** Alive until `lost` resolves; then every call on it has settled and it is of no more use. */
export class WorkerLink implements CallHolder {
  readonly #address: string;
  readonly #onDeviceLost: OnDeviceLost;
  #answerer: Answerer;
  readonly #abort = new AbortController();
  readonly #calls = new Map<bigint, PendingCall>();
  readonly #opened = Promise.withResolvers<void>();
  readonly #lost = Promise.withResolvers<string>();
  #channel: WorkerChannel | undefined;
  #cancelledIds: bigint[] = [];
  #nextId = 1n;
  #isLost = false;
  #workerId: string | undefined;

  /** Begins to connect. */
  constructor(address: string, shape: AnswerShape, onDeviceLost: OnDeviceLost) {
    this.#address = address;
    this.#onDeviceLost = onDeviceLost;
    this.#answerer = { shape, workerId: address, address };
    void this.#open();
  }

  /** Resolves when the worker has taken up the stream. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** Resolves with the reason when the connection is gone. */
  get lost(): Promise<string> {
    return this.#lost.promise;
  }

  /** How the connection speaks, once it is opened. */
  get channelKind(): WorkerChannel["kind"] | undefined {
    return this.#channel?.kind;
  }

  /** After it is opened. @throws {Error} for a status other than OK */
  async describe(deadlineMs: number): Promise<DescribeResponse> {
    const said = await this.#channel!.describe(deadlineMs);
    this.#workerId = said.workerId;
    this.#answerer = { ...this.#answerer, workerId: said.workerId };
    return said;
  }

  send(call: PendingCall): void {
    const callId = this.#nextId++;
    call.moveTo(this, callId);
    const { layer, expertId, input } = call.question;
    const refusal = this.#findRefusal(input.data.byteLength);
    if (refusal !== undefined) {
      call.reject("unavailable", `${this.#address}: ${refusal}`);
      return;
    }
    this.#calls.set(callId, call);
    const { timeoutMs } = call;
    const value = { callId, layer, expertId, input: toActivationRowsMessage(input), timeoutMs };
    this.#channel!.send({ kind: { case: "call", value } });
  }

  get workerId(): string | undefined {
    return this.#workerId;
  }

  explainLate() {
    const detail = `${this.#address} did not answer in time`;
    return { code: "deadline-exceeded", detail } as const;
  }

  /** The caller gave up: nobody waits for the answer any more, so let the worker know. */
  release({ id }: PendingCall): void {
    if (!this.#calls.delete(id)) return;
    this.#cancelledIds.push(id);
    if (this.#cancelledIds.length === 1) queueMicrotask(() => this.#sendCancels());
  }

  /** Ends the connection; calls under way are cancelled. */
  close(): void {
    this.#end("cancelled", "the client was closed");
  }

  /** The connection is of no more use; calls under way fail at once. */
  lose(why: string): void {
    this.#end("unavailable", why);
  }

  async #open(): Promise<void> {
    const listener = {
      onOpen: () => this.#opened.resolve(),
      onResponse: (response: ForwardResponse, release: () => void) => {
        this.#receive(response, release);
      },
      onEnd: (why: string) => this.lose(why),
    };
    try {
      this.#channel = await openWorkerChannel(this.#address, listener, this.#abort.signal);
      if (this.#isLost) this.#channel.close();
    } catch (error) {
      this.lose(error instanceof Error ? error.message : String(error));
    }
  }

  #end(code: ExpertCallCode, why: string): void {
    if (this.#isLost) return;
    this.#isLost = true;
    for (const call of this.#calls.values()) call.reject(code, `${this.#address}: ${why}`);
    this.#calls.clear();
    this.#abort.abort();
    this.#channel?.close();
    this.#lost.resolve(why);
  }

  #findRefusal(bytes: number): string | undefined {
    if (this.#isLost) return "the connection was lost";
    if (this.#calls.size >= callsInFlightMax) return `${callsInFlightMax} calls are in flight`;
    const { unsentBytes } = this.#channel!;
    if (unsentBytes === 0 || unsentBytes + bytes <= unsentBytesMax) return undefined;
    return `${unsentBytes} bytes wait to be sent`;
  }

  #sendCancels(): void {
    const callIds = this.#cancelledIds;
    this.#cancelledIds = [];
    if (!this.#isLost) this.#channel!.send({ kind: { case: "cancel", value: { callIds } } });
  }

  #receive(response: ForwardResponse, release: () => void): void {
    const call = this.#calls.get(response.callId);
    if (call === undefined) {
      release(); // its caller has given up
      return;
    }
    this.#calls.delete(response.callId);
    const loss = findDeviceLoss(response);
    if (loss !== undefined) {
      release();
      this.#onDeviceLost(call, loss);
      return;
    }
    settleWith(call, { response, release }, this.#answerer);
  }
}

// One connection to a worker: one channel, one Forward stream, and the calls under way on it.
import { activationBytesMax, callsInFlightMax } from "@octet/core";
import type { ExpertCallCode } from "@octet/engine";
import {
  createClient,
  type DescribeResponse,
  ExpertService,
  type ForwardResponse,
  type GrpcClient,
  toActivationRowsMessage,
} from "@octet/protocol";
import { type AnswerShape, settleWith } from "./answer.ts";
import type { PendingCall } from "./pending-call.ts";

/** Bytes that may wait to be sent before further calls are refused: the peer does not read. */
const unsentBytesMax = 4 * activationBytesMax;

type Client = GrpcClient<typeof ExpertService>;

/** Alive until `lost` resolves; then every call on it has settled and it is of no more use. */
export class WorkerLink {
  readonly #address: string;
  readonly #shape: AnswerShape;
  readonly #client: Client;
  readonly #stream: ReturnType<Client["forward"]>;
  readonly #calls = new Map<bigint, PendingCall>();
  readonly #opened = Promise.withResolvers<void>();
  readonly #lost = Promise.withResolvers<string>();
  #cancelledIds: bigint[] = [];
  #nextId = 1n;
  #unsentBytes = 0;
  #isLost = false;
  #workerId: string | undefined;

  constructor(address: string, shape: AnswerShape) {
    this.#address = address;
    this.#shape = shape;
    this.#client = createClient(ExpertService, address);
    this.#stream = this.#client.forward();
    this.#stream.on("metadata", () => this.#opened.resolve());
    this.#stream.on("data", (response) => this.#receive(response));
    this.#stream.on("error", () => {}); // "status" says the same, and always comes
    this.#stream.on("status", ({ details }) => this.lose(details || "the worker ended the stream"));
  }

  /** Resolves when the worker has taken up the stream. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** Resolves with the reason when the connection is gone. */
  get lost(): Promise<string> {
    return this.#lost.promise;
  }

  /** @throws grpc-js's ServiceError */
  async describe(deadlineMs: number): Promise<DescribeResponse> {
    const said = await this.#client.describe({}, { deadlineMs });
    this.#workerId = said.workerId;
    return said;
  }

  send(call: PendingCall): void {
    const callId = this.#nextId++;
    call.moveTo({
      workerId: this.#workerId,
      release: () => this.#abandon(callId),
      explainLate: () => ({
        code: "deadline-exceeded",
        detail: `${this.#address} did not answer in time`,
      }),
    });
    const { layer, expertId, input } = call.question;
    const bytes = input.data.byteLength;
    const refusal = this.#findRefusal(bytes);
    if (refusal !== undefined) {
      call.reject("unavailable", `${this.#address}: ${refusal}`);
      return;
    }
    this.#calls.set(callId, call);
    this.#unsentBytes += bytes;
    const { timeoutMs } = call;
    const value = { callId, layer, expertId, input: toActivationRowsMessage(input), timeoutMs };
    this.#stream.write({ kind: { case: "call", value } }, () => {
      this.#unsentBytes -= bytes;
    });
  }

  /** Ends the connection; calls under way are cancelled. */
  close(): void {
    this.#end("cancelled", "the client was closed");
  }

  /** The connection is of no more use; calls under way fail at once. */
  lose(why: string): void {
    this.#end("unavailable", why);
  }

  #end(code: ExpertCallCode, why: string): void {
    if (this.#isLost) return;
    this.#isLost = true;
    for (const call of this.#calls.values()) call.reject(code, `${this.#address}: ${why}`);
    this.#calls.clear();
    this.#stream.cancel();
    this.#client.close();
    this.#lost.resolve(why);
  }

  #findRefusal(bytes: number): string | undefined {
    if (this.#isLost) return "the connection was lost";
    if (this.#calls.size >= callsInFlightMax) return `${callsInFlightMax} calls are in flight`;
    if (this.#unsentBytes > 0 && this.#unsentBytes + bytes > unsentBytesMax) {
      return `${this.#unsentBytes} bytes wait to be sent`;
    }
    return undefined;
  }

  /** The caller gave up: nobody waits for the answer any more, so let the worker know. */
  #abandon(callId: bigint): void {
    if (!this.#calls.delete(callId)) return;
    this.#cancelledIds.push(callId);
    if (this.#cancelledIds.length === 1) queueMicrotask(() => this.#sendCancels());
  }

  #sendCancels(): void {
    const callIds = this.#cancelledIds;
    this.#cancelledIds = [];
    if (!this.#isLost) this.#stream.write({ kind: { case: "cancel", value: { callIds } } });
  }

  #receive(response: ForwardResponse): void {
    const call = this.#calls.get(response.callId);
    if (call === undefined) return; // its caller has given up
    this.#calls.delete(response.callId);
    const workerId = this.#workerId ?? this.#address;
    settleWith(call, response, { ...this.#shape, workerId, address: this.#address });
  }
}

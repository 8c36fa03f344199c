// One coordinator's stream of calls: what comes in is checked, what goes out is an answer to it.
import { type ActivationRows, dispatchDtype, type ExpertId } from "@octet/core";
import type { ExpertEngine, FastPath } from "@octet/kernels";
import {
  type CallFailureReason,
  type ErrorCode,
  type ExpertCallMessage,
  type ForwardRequest,
  type ForwardResponseInit,
  freeMemory,
  fromActivationRowsMessage,
  type ServedStream,
  type ServedStreamListener,
  toActivationRowsMessage,
  toCallFailureCode,
  toStatusError,
  WireShapeError,
} from "@octet/protocol";
import type { AcceptedCall, CallOutcome, CallRunner } from "./call-runner.ts";
import { hasNonFinite } from "./non-finite.ts";

/** What every stream of one service shares. */
export interface ForwardStreamContext {
  readonly engine: Pick<ExpertEngine, "model" | "weightDtype" | "expertIds">;
  readonly runner: CallRunner;
  readonly nowMs: () => number;
  readonly callsInFlightMax: number;
  readonly rowsPerCallMax: number;
  /** Input bytes waiting here above which the stream is not read; one call may go beyond. */
  readonly queuedBytesMax: number;
  /** Who answers small calls on the socket itself, while anybody may. */
  readonly fastPath: () => FastPath | undefined;
  /** It has answered calls that nobody has counted. */
  readonly onLoanEnd: () => void;
}

type Stream = ServedStream<ForwardResponseInit>;

/** A call that cannot be accepted; the stream goes on. */
class RefusedCall extends Error {
  readonly reason: CallFailureReason;
  constructor(reason: CallFailureReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Serves one stream from its first request to its end. */
export class ForwardStream implements ServedStreamListener<ForwardRequest> {
  readonly #stream: Stream;
  readonly #context: ForwardStreamContext;
  readonly #calls = new Map<bigint, AcceptedCall>();
  readonly #closed = Promise.withResolvers<void>();
  #queuedBytes = 0;
  #isWriteBlocked = false;
  #isInputEnded = false;
  #isEnded = false;
  #isLent = false;

  constructor(stream: Stream, context: ForwardStreamContext) {
    this.#stream = stream;
    this.#context = context;
    stream.accept();
  }

  /** Whether calls wait for answers, or may come and be answered unheard. */
  get isBusy(): boolean {
    return this.#calls.size > 0 || this.#isLent;
  }

  /** Has calls come here again, if they do not. */
  askBack(): void {
    if (this.#isLent) this.#stream.askBack();
  }

  /** Resolves when nothing more will be sent or received. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Ends the stream with a failure; its calls get no answers. */
  fail(code: ErrorCode, detail: string): void {
    if (this.#isEnded) return;
    this.#dropCalls();
    this.#isEnded = true;
    this.#stream.end(toStatusError(code, detail));
  }

  onMessage({ kind }: ForwardRequest, release: () => void): void {
    if (this.#isEnded) return;
    switch (kind.case) {
      case "call":
        this.#accept(kind.value, release);
        break;
      case "cancel":
        this.#withdraw(kind.value.callIds);
        break;
      case undefined:
        this.fail("invalid-request", "expected a call or a cancel, found neither");
    }
  }

  onDrain(): void {
    this.#setWriteBlocked(false);
  }

  /** The caller asks nothing more but may still wait for answers. */
  onInputEnd(): void {
    this.#isInputEnded = true;
    this.#endIfDone();
  }

  onLoanEnd(): void {
    this.#isLent = false;
    this.#context.onLoanEnd();
  }

  onClose(): void {
    this.#isEnded = true;
    this.#isLent = false;
    this.#dropCalls();
    this.#closed.resolve();
  }

  #accept(message: ExpertCallMessage, release: () => void): void {
    const receivedAtMs = this.#context.nowMs();
    const { callId, layer } = message;
    try {
      this.#checkRoom(callId);
      const expertId = this.#checkHeld(message);
      const input = this.#checkInput(message);
      const expiresAtMs = receivedAtMs + message.timeoutMs;
      const settle = (outcome: CallOutcome) => {
        // Withdrawn, and its id perhaps in use again; else the answer, which may share its memory.
        if (this.#calls.get(callId) === call) this.#settle(callId, call, { outcome, release });
        else release();
      };
      const call: AcceptedCall = { layer, expertId, input, receivedAtMs, expiresAtMs, settle };
      this.#calls.set(callId, call);
      this.#queuedBytes += input.data.byteLength;
      this.#context.runner.add(call);
      this.#updateReading();
    } catch (error) {
      if (!(error instanceof RefusedCall)) throw error;
      const { reason, message: why } = error;
      const result = { kind: "failure", reason, message: why } as const;
      this.#write(callId, { result, queuedMs: 0, computedMs: 0 });
    }
  }

  #checkRoom(callId: bigint): void {
    const { callsInFlightMax } = this.#context;
    if (this.#calls.has(callId)) {
      throw new RefusedCall("overloaded", `call id ${callId} is in use on this stream`);
    }
    if (this.#calls.size >= callsInFlightMax) {
      throw new RefusedCall("overloaded", `${callsInFlightMax} calls are in flight; await some`);
    }
  }

  #checkHeld({ layer, expertId }: ExpertCallMessage): ExpertId {
    const { model, expertIds } = this.#context.engine;
    if (layer >= model.numLayers) {
      throw new RefusedCall(
        "not-held",
        `expected layer 0 to ${model.numLayers - 1}, found ${layer}`,
      );
    }
    const held = expertIds.find((each) => each === expertId);
    if (held === undefined) {
      throw new RefusedCall("not-held", `expert ${expertId} is not among ${expertIds.join(", ")}`);
    }
    return held;
  }

  #checkInput({ input: message, timeoutMs }: ExpertCallMessage): ActivationRows {
    const { engine, rowsPerCallMax } = this.#context;
    if (timeoutMs === 0) throw new RefusedCall("bad-shape", "expected timeout_ms >= 1, found 0");
    const expected = {
      dtype: dispatchDtype(engine.weightDtype),
      width: engine.model.hiddenSize,
      rowsMin: 1,
      rowsMax: rowsPerCallMax,
    };
    try {
      const input = fromActivationRowsMessage(message, expected);
      if (hasNonFinite(input))
        throw new RefusedCall("non-finite", "the input holds NaN or infinity");
      return input;
    } catch (error) {
      if (error instanceof WireShapeError) throw new RefusedCall("bad-shape", error.message);
      throw error;
    }
  }

  /** Forgets calls whose answers nobody wants; one that is computing runs to its end unheard. */
  #withdraw(callIds: Iterable<bigint>): void {
    for (const callId of callIds) {
      const call = this.#calls.get(callId);
      if (call === undefined) continue; // answered already
      this.#forget(callId, call);
      this.#context.runner.withdraw(call);
    }
    this.#updateReading();
    this.#endIfDone();
  }

  #settle(
    callId: bigint,
    call: AcceptedCall,
    { outcome, release }: { outcome: CallOutcome; release: () => void },
  ): void {
    this.#forget(callId, call);
    this.#write(callId, outcome, () => {
      freeOutput(outcome);
      release();
    });
    this.#updateReading();
    this.#endIfDone();
    this.#lendAfter(call.input.rows);
  }

  /**
   * Where calls are as small as the last one, those to come may be answered without us. Only after a
   * call: what the fast path gave the socket back for must be read here first.
   */
  #lendAfter(rows: number): void {
    const fastPath = this.#context.fastPath();
    if (fastPath === undefined || rows > fastPath.rowsMax) return;
    if (this.#calls.size > 0 || this.#isEnded || this.#isLent) return;
    this.#isLent = this.#stream.lend(fastPath);
  }

  #forget(callId: bigint, call: AcceptedCall): void {
    this.#calls.delete(callId);
    this.#queuedBytes -= call.input.data.byteLength;
  }

  #write(callId: bigint, { result, queuedMs, computedMs }: CallOutcome, onSent?: () => void): void {
    const response: ForwardResponseInit = {
      callId,
      result:
        result.kind === "output"
          ? { case: "output", value: toActivationRowsMessage(result.output) }
          : {
              case: "failure",
              value: { code: toCallFailureCode(result.reason), message: result.message },
            },
      timings: { queuedUs: toMicroseconds(queuedMs), computedUs: toMicroseconds(computedMs) },
    };
    const hasRoom = this.#stream.send(response, onSent);
    if (!hasRoom) this.#setWriteBlocked(true);
  }

  #setWriteBlocked(isBlocked: boolean): void {
    this.#isWriteBlocked = isBlocked;
    this.#updateReading();
  }

  /** Reads on only while answers go out and inputs do not pile up; the peer feels the rest. */
  #updateReading(): void {
    if (this.#isWriteBlocked || this.#queuedBytes > this.#context.queuedBytesMax) {
      this.#stream.pause();
    } else {
      this.#stream.resume();
    }
  }

  #endIfDone(): void {
    if (!this.#isInputEnded || this.#isEnded || this.#calls.size > 0) return;
    this.#isEnded = true;
    this.#stream.end();
  }

  #dropCalls(): void {
    for (const [callId, call] of this.#calls) {
      this.#forget(callId, call);
      this.#context.runner.withdraw(call);
    }
  }
}

/** Frees what an engine allocated for one call; a share of several calls' output is left alone. */
function freeOutput({ result }: CallOutcome): void {
  if (result.kind !== "output") return;
  const { data } = result.output;
  if (data.byteLength === data.buffer.byteLength) freeMemory(data);
}

function toMicroseconds(ms: number): bigint {
  return BigInt(Math.max(0, Math.round(ms * 1000)));
}

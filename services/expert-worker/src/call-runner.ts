// Takes waiting calls to the engine, as many together as wait for the same expert of a layer.
import type { ActivationRows, ExpertId } from "@octet/core";
import { type ExpertEngine, KernelError } from "@octet/kernels";
import type { CallFailureReason } from "@octet/protocol";
import type { Logger } from "@octet/telemetry";
import { CallQueue, type Queueable } from "./call-queue.ts";
import { joinRows, splitRows } from "./row-batch.ts";

/** How a call ended, with its times by this process's clock. */
export interface CallOutcome {
  readonly result:
    | { readonly kind: "output"; readonly output: ActivationRows }
    | {
        readonly kind: "failure";
        readonly reason: CallFailureReason;
        readonly message: string;
      };
  readonly queuedMs: number;
  readonly computedMs: number;
}

/** One accepted call: its shape is right, its values are finite, the engine holds its expert. */
export interface AcceptedCall extends Queueable {
  readonly input: ActivationRows;
  readonly receivedAtMs: number;
  /** Told once, unless the call is withdrawn first; computing is not interrupted by that. */
  settle(outcome: CallOutcome): void;
}

/** A call that ended, as it is counted. */
export interface SettledCall {
  readonly expertId: ExpertId;
  readonly rows: number;
  readonly queuedMs: number;
  readonly computedMs: number;
  /** Why it was not answered, if so. */
  readonly failure?: CallFailureReason | undefined;
}

/** Who counts calls. */
export interface CallObserver {
  /** A call ended that was not withdrawn. */
  onSettled(call: SettledCall): void;
}

/** What a runner works with. */
export interface CallRunnerOptions {
  readonly engine: Pick<ExpertEngine, "forward">;
  /** Most rows in one computation. */
  readonly rowsMax: number;
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly log: Logger;
  readonly observer?: CallObserver | undefined;
}

/**
 * One computation at a time. There is no window to wait for company in: whatever has arrived when
 * the engine is free goes together.
 */
export class CallRunner {
  readonly #options: CallRunnerOptions;
  readonly #queue = new CallQueue<AcceptedCall>();
  #isRunning = false;

  constructor(options: CallRunnerOptions) {
    this.#options = options;
  }

  add(call: AcceptedCall): void {
    this.#queue.add(call);
    if (this.#isRunning) return;
    this.#isRunning = true;
    // After the messages that arrived together with this one.
    setImmediate(() => void this.#run());
  }

  /** The call's answer is no longer wanted; true if it had not begun. */
  withdraw(call: AcceptedCall): boolean {
    return this.#queue.remove(call);
  }

  async #run(): Promise<void> {
    while (this.#queue.size > 0) {
      const nowMs = this.#options.nowMs();
      const { batch, late } = this.#queue.take({ nowMs, rowsMax: this.#options.rowsMax });
      for (const call of late) this.#settle(call, toLate(call, nowMs));
      if (batch.length > 0) await this.#compute(batch);
    }
    this.#isRunning = false;
  }

  async #compute(batch: readonly AcceptedCall[]): Promise<void> {
    const { engine, nowMs } = this.#options;
    const { layer, expertId } = batch[0]!;
    const startedAtMs = nowMs();
    const settleAll = (resultOf: (index: number) => CallOutcome["result"]) => {
      const computedMs = nowMs() - startedAtMs;
      for (const [index, call] of batch.entries()) {
        const queuedMs = startedAtMs - call.receivedAtMs;
        this.#settle(call, { result: resultOf(index), queuedMs, computedMs });
      }
    };
    try {
      const input = joinRows(batch.map((call) => call.input));
      const whole = await engine.forward({ layer, expertId, input });
      const outputs = splitRows(
        whole,
        batch.map((call) => call.input.rows),
      );
      settleAll((index) => ({ kind: "output", output: outputs[index]! }));
    } catch (error) {
      const isOfOneCall = error instanceof KernelError && error.code === "non-finite";
      if (isOfOneCall && batch.length > 1) {
        for (const call of batch) await this.#compute([call]); // its company must not suffer
        return;
      }
      const failure = toFailure(error);
      if (failure.reason === "internal") {
        const fields = { errorCode: failure.reason, layer, expert: expertId, cause: error };
        this.#options.log.error("expert call failed", fields);
      }
      settleAll(() => failure);
    }
  }

  #settle(call: AcceptedCall, outcome: CallOutcome): void {
    const { result, queuedMs, computedMs } = outcome;
    const { expertId, input } = call;
    const failure = result.kind === "failure" ? result.reason : undefined;
    const settled = { expertId, rows: input.rows, queuedMs, computedMs, failure };
    this.#options.observer?.onSettled(settled);
    call.settle(outcome);
  }
}

function toLate(call: AcceptedCall, nowMs: number): CallOutcome {
  const queuedMs = nowMs - call.receivedAtMs;
  const message = `its time ran out after ${Math.round(queuedMs)} ms in the queue`;
  const result = { kind: "failure", reason: "deadline-exceeded", message } as const;
  return { result, queuedMs, computedMs: 0 };
}

function toFailure(error: unknown) {
  const message = error instanceof Error ? error.message : String(error);
  return { kind: "failure", reason: reasonOf(error), message } as const;
}

function reasonOf(error: unknown): CallFailureReason {
  if (!(error instanceof KernelError)) return "internal";
  switch (error.code) {
    case "bad-shape":
    case "non-finite":
    case "not-held":
    case "device-lost":
      return error.code;
    case "bad-weights":
    case "closed":
    case "unsupported":
      return "internal";
  }
}

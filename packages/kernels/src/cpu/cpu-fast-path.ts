// The fast path on the CPU: sockets go to a thread of the addon, which computes and answers.
import {
  activationRowBytes,
  dispatchDtype,
  type LentSocket,
  type ReturnedSocket,
  type SocketLoan,
  toExpertId,
} from "@octet/core";
import type { AnsweredCall, ExpertEngineOptions, FastPath } from "../expert-engine.ts";
import { loadNativeAddon, type NativeExpertEngine, type NativeFastPath } from "./native-addon.ts";

/** Most rows of a call: beyond it, computing takes so long that how the call comes hardly counts. */
const rowsMax = 64;
/** Most bytes of a call, which a socket's buffer must hold. */
const callBytesMax = 512 * 1024;

type Facts = Pick<ExpertEngineOptions, "model" | "weightDtype" | "expertIds">;

/** Answers on sockets with `engine`. Its thread begins with the first. */
export class CpuFastPath implements FastPath {
  readonly rowsMax: number;
  readonly #engine: NativeExpertEngine;
  readonly #facts: Facts;
  readonly #loans = new Map<number, (returned: ReturnedSocket) => void>();
  #native: NativeFastPath | undefined;
  #isClosed = false;

  constructor(engine: NativeExpertEngine, facts: Facts) {
    this.#engine = engine;
    this.#facts = facts;
    const rowBytes = activationRowBytes(dispatchDtype(facts.weightDtype), facts.model.hiddenSize);
    this.rowsMax = Math.max(1, Math.min(rowsMax, Math.floor(callBytesMax / rowBytes)));
  }

  borrow(loan: SocketLoan, onReturned: (returned: ReturnedSocket) => void): LentSocket | undefined {
    if (this.#isClosed) return undefined;
    let native: NativeFastPath;
    let id: number;
    try {
      native = this.#native ??= this.#open();
      id = native.lend(loan);
    } catch {
      return undefined; // no file descriptor left: the lender serves it as before
    }
    this.#loans.set(id, onReturned);
    return {
      wasActive: () => native.wasActive(id),
      askBack: () => native.askBack(id, false),
      abandon: () => native.askBack(id, true),
    };
  }

  takeAnswered(): AnsweredCall[] {
    const fields = this.#native?.takeAnswered() ?? [];
    const calls: AnsweredCall[] = [];
    for (let at = 0; at < fields.length; at += 4) {
      calls.push({
        expertId: toExpertId(fields[at]!, this.#facts.model.numExperts),
        rows: fields[at + 1]!,
        queuedMs: fields[at + 2]! / 1000,
        computedMs: fields[at + 3]! / 1000,
      });
    }
    return calls;
  }

  /** Gives every socket back, after the computation under way. */
  close(): void {
    this.#isClosed = true;
    this.#native?.close();
  }

  #open(): NativeFastPath {
    const { model, weightDtype, expertIds } = this.#facts;
    const { FastPath } = loadNativeAddon();
    const { hiddenSize, numLayers } = model;
    const options = {
      format: weightDtype,
      hiddenSize,
      numLayers,
      rowsMax: this.rowsMax,
      expertIds,
    };
    return new FastPath(this.#engine, options, (id, unread, receivedBytes, sentBytes, isBroken) => {
      const onReturned = this.#loans.get(id)!;
      this.#loans.delete(id);
      onReturned({ unread, receivedBytes, sentBytes, isBroken });
    });
  }
}

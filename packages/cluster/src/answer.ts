// What a worker sent back for one call, checked before anyone computes with it.
import { replyDtype, type WeightDtype } from "@octet/core";
import type { ExpertCallCode } from "@octet/engine";
import {
  type CallFailureReason,
  type ForwardResponse,
  fromActivationRowsMessage,
  fromCallFailureCode,
  WireShapeError,
} from "@octet/protocol";
import type { PendingCall } from "./pending-call.ts";

/** What rows of an answer must look like. */
export interface AnswerShape {
  readonly hiddenSize: number;
  readonly weightDtype: WeightDtype;
}

/** Who answers, and what may be expected. */
export interface Answerer {
  readonly shape: AnswerShape;
  readonly workerId: string;
  readonly address: string;
}

/** A response, and how its memory is given back. */
export interface Answer {
  readonly response: ForwardResponse;
  readonly release: () => void;
}

/** What the worker says if the call failed for its device's loss: it may be asked again. */
export function findDeviceLoss({ result }: ForwardResponse): string | undefined {
  if (result.case !== "failure") return undefined;
  const isLoss = fromCallFailureCode(result.value.code) === "device-lost";
  return isLoss ? result.value.message : undefined;
}

/** Settles `call` by a worker's response to it; an answer of another shape is a failure. */
export function settleWith(
  call: PendingCall,
  { response: { result, timings }, release }: Answer,
  { shape: { hiddenSize, weightDtype }, workerId, address }: Answerer,
): void {
  const { rows } = call.question.input;
  switch (result.case) {
    case "output":
      try {
        const output = fromActivationRowsMessage(result.value, {
          dtype: replyDtype(weightDtype),
          width: hiddenSize,
          rowsMin: rows,
          rowsMax: rows,
        });
        const queuedUs = Number(timings?.queuedUs ?? 0n);
        const computedUs = Number(timings?.computedUs ?? 0n);
        call.resolve({ output, workerId, address, queuedUs, computedUs, release });
      } catch (error) {
        if (!(error instanceof WireShapeError)) throw error;
        call.reject("bad-shape", `${address} answered wrongly: ${error.message}`, error);
      }
      return;
    case "failure": {
      const reason = fromCallFailureCode(result.value.code);
      call.reject(toCallCode(reason), `${address}: ${result.value.message}`);
      return;
    }
    case undefined:
      call.reject("bad-shape", `${address} answered with neither output nor failure`);
  }
}

function toCallCode(reason: CallFailureReason): ExpertCallCode {
  return reason === "overloaded" ? "unavailable" : reason;
}

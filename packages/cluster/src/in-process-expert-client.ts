// Experts in this very process: the same port, no network.
import type { ExpertId } from "@octet/core";
import type { ExpertCallCode, ExpertClient } from "@octet/engine";
import { type ExpertEngine, KernelError, type KernelErrorCode } from "@octet/kernels";
import { type CallHolder, PendingCall } from "./pending-call.ts";
import { findQuestionProblem } from "./question-check.ts";

const workerId = "in-process";

/**
 * Asks engines in this process. It does not own them: close them after the client.
 *
 * @throws {RangeError} if two engines hold the same expert
 */
export function createInProcessExpertClient(engines: readonly ExpertEngine[]): ExpertClient {
  const seats = seatsByExpert(engines);
  const open = new Set<PendingCall>();
  let isClosed = false;
  const holder: CallHolder = {
    workerId,
    release: (call) => open.delete(call),
    explainLate: () => ({ code: "deadline-exceeded", detail: "the engine did not answer in time" }),
  };

  return {
    async forward(question, options) {
      const call = new PendingCall(question, options);
      call.moveTo(holder);
      const seat = seats.get(question.expertId);
      if (isClosed) call.reject("cancelled", "the client is closed");
      else if (seat === undefined) call.reject("not-held", "no engine of this process holds it");
      else if (!call.isSettled) {
        open.add(call);
        void compute(call, seat).finally(() => open.delete(call));
      }
      return call.reply;
    },
    async close() {
      isClosed = true;
      for (const call of open) call.reject("cancelled", "the client was closed");
      open.clear();
    },
  };
}

/** An engine, and when it was last seen free: calls to one engine run in turn. */
interface Seat {
  readonly engine: ExpertEngine;
  freeAtMs: number;
}

function seatsByExpert(engines: readonly ExpertEngine[]): ReadonlyMap<ExpertId, Seat> {
  const seats = new Map<ExpertId, Seat>();
  for (const engine of engines) {
    const seat = { engine, freeAtMs: 0 };
    for (const expertId of engine.expertIds) {
      if (seats.has(expertId)) throw new RangeError(`expert ${expertId} is held by two engines`);
      seats.set(expertId, seat);
    }
  }
  return seats;
}

async function compute(call: PendingCall, seat: Seat): Promise<void> {
  const { engine } = seat;
  const shape = { ...engine.model, weightDtype: engine.weightDtype };
  const problem = findQuestionProblem(call.question, shape);
  if (problem !== undefined) return call.reject(problem.code, problem.detail);
  const askedAtMs = performance.now();
  try {
    const output = await engine.forward(call.question);
    const startedAtMs = Math.max(askedAtMs, seat.freeAtMs);
    seat.freeAtMs = performance.now();
    call.resolve({
      output,
      workerId,
      address: workerId,
      queuedUs: Math.round((startedAtMs - askedAtMs) * 1000),
      computedUs: Math.round((seat.freeAtMs - startedAtMs) * 1000),
    });
  } catch (error) {
    seat.freeAtMs = performance.now();
    const detail = error instanceof Error ? error.message : String(error);
    call.reject(error instanceof KernelError ? toCallCode(error.code) : "internal", detail, error);
  }
}

function toCallCode(code: KernelErrorCode): ExpertCallCode {
  switch (code) {
    case "bad-shape":
    case "non-finite":
    case "not-held":
    case "device-lost":
      return code;
    case "closed":
      return "unavailable";
    case "bad-weights":
    case "unsupported":
      return "internal";
  }
}

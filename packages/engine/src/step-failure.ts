// What became of a sequence whose part in a step failed.
import { KernelError } from "@octet/kernels";
import { EngineError } from "./engine-error.ts";
import { ExpertCallError } from "./expert-client.ts";
import type { ForwardOutcome } from "./forward.ts";

/** Whether the sequence's keys and values went with a device. */
export function isCacheLost(outcome: ForwardOutcome): boolean {
  if (outcome.kind !== "failed") return false;
  const { error } = outcome;
  return error instanceof KernelError && error.code === "device-lost";
}

/** What the caller of a sequence sees of a failure inside a step. */
export function toEngineError(cause: unknown): EngineError {
  if (cause instanceof EngineError) return cause;
  if (cause instanceof ExpertCallError) {
    const { expertId, code: expertFailure, message } = cause;
    return new EngineError("expert-unavailable", message, { cause, expertId, expertFailure });
  }
  const detail = cause instanceof Error ? cause.message : String(cause);
  const isLoss = cause instanceof KernelError && cause.code === "device-lost";
  return new EngineError(isLoss ? "device-lost" : "internal", detail, { cause });
}

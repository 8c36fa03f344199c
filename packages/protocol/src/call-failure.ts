// Why a worker could not answer one call: our words and the wire's codes.
import { CallFailureCode } from "./gen/octet/expert/v1/expert_pb.ts";

const codeOfReason = {
  "bad-shape": CallFailureCode.BAD_SHAPE,
  "not-held": CallFailureCode.NOT_HELD,
  "non-finite": CallFailureCode.NON_FINITE,
  "deadline-exceeded": CallFailureCode.DEADLINE_EXCEEDED,
  overloaded: CallFailureCode.OVERLOADED,
  internal: CallFailureCode.INTERNAL,
  "device-lost": CallFailureCode.DEVICE_LOST,
} as const;

/** Why one call on a Forward stream failed; the stream itself goes on. */
export type CallFailureReason = keyof typeof codeOfReason;

const reasonOfCode = new Map<number, CallFailureReason>(
  Object.entries(codeOfReason).map(([reason, code]) => [code, reason as CallFailureReason]),
);

/** The wire's code for `reason`. */
export function toCallFailureCode(reason: CallFailureReason): CallFailureCode {
  return codeOfReason[reason];
}

/** The reason behind a code that arrived; one we do not know is the worker's "internal". */
export function fromCallFailureCode(code: CallFailureCode): CallFailureReason {
  return reasonOfCode.get(code) ?? "internal";
}

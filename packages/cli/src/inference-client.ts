// The inference service as commands use it: failures become exit codes.
import { OctetClient, type OctetError } from "@octet/client";
import { exitCodes } from "./exit-codes.ts";

/** Longest a whole answer may take; a request of ours never waits for ever. */
const answerDeadlineMs = 24 * 60 * 60 * 1000;

/** Asks once: who typed the command is told what happened, and can ask again. */
export function connectInference(address: string): OctetClient {
  return new OctetClient(address, { retry: { attemptsMax: 1 }, deadlineMs: answerDeadlineMs });
}

/** What a failed call means for the script that ran the command. */
export function exitCodeOf(error: OctetError): number {
  switch (error.code) {
    case "UNAVAILABLE":
    case "DEADLINE_EXCEEDED":
    case "RESOURCE_EXHAUSTED":
      return exitCodes.unavailable;
    case "INVALID_ARGUMENT":
    case "NOT_FOUND":
    case "UNIMPLEMENTED":
    case "FAILED_PRECONDITION":
    case "OUT_OF_RANGE":
      return exitCodes.refused;
    default:
      return exitCodes.failure;
  }
}

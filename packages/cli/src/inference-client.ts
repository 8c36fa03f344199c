// The inference service as commands use it: answers by async iteration, failures with exit codes.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import {
  type GenerateRequestSchema,
  type GenerateResponse,
  InferenceService,
  type Model,
} from "@octet/protocol";
import { createClient } from "@octet/protocol/grpc";
import { CommandError, exitCodes } from "./exit-codes.ts";

/** Longest a whole answer may take; a request of ours never waits for ever. */
const generateDeadlineMs = 24 * 60 * 60 * 1000;
const unaryDeadlineMs = 10_000;

/** One connection to a coordinator. */
export interface InferenceClient {
  /** Streams one answer. Leaving the loop early, or aborting the signal, cancels the work. */
  generate(
    request: MessageInitShape<typeof GenerateRequestSchema>,
    signal: AbortSignal,
  ): AsyncIterable<GenerateResponse>;
  /** The model that is served. */
  getModel(signal: AbortSignal): Promise<Model>;
  close(): void;
}

/** @param address host:port of a coordinator */
export function connectInference(address: string): InferenceClient {
  const client = createClient(InferenceService, address);
  return {
    generate: (request, signal) => streamAnswer(client, address, request, signal),
    async getModel(signal) {
      try {
        const bounds = { deadlineMs: unaryDeadlineMs, signal };
        const { models } = await client.listModels({}, bounds);
        if (models[0] === undefined) throw new CommandError(`${address} serves no model`);
        return models[0];
      } catch (error) {
        throw toCommandError(error, address, signal);
      }
    },
    close: () => client.close(),
  };
}

async function* streamAnswer(
  client: ReturnType<typeof createClient<typeof InferenceService>>,
  address: string,
  request: MessageInitShape<typeof GenerateRequestSchema>,
  signal: AbortSignal,
): AsyncGenerator<GenerateResponse> {
  const call = client.generate(request, { deadlineMs: generateDeadlineMs, signal });
  try {
    for await (const response of call) yield response as GenerateResponse;
  } catch (error) {
    throw toCommandError(error, address, signal);
  } finally {
    call.cancel();
  }
}

/** What a failed call means for the person who typed the command. */
function toCommandError(error: unknown, address: string, signal: AbortSignal): Error {
  if (signal.aborted && signal.reason instanceof Error) return signal.reason;
  if (!(error instanceof Error) || !("code" in error) || !("details" in error)) {
    return error instanceof Error ? error : new Error(String(error));
  }
  const details = String(error.details);
  switch (error.code) {
    case status.UNAVAILABLE:
    case status.DEADLINE_EXCEEDED:
    case status.RESOURCE_EXHAUSTED:
      return new CommandError(`${address}: ${details}`, {
        exitCode: exitCodes.unavailable,
        cause: error,
      });
    case status.INVALID_ARGUMENT:
    case status.NOT_FOUND:
    case status.UNIMPLEMENTED:
    case status.FAILED_PRECONDITION:
    case status.OUT_OF_RANGE:
      return new CommandError(`${address} refused the request: ${details}`, {
        exitCode: exitCodes.refused,
        cause: error,
      });
    default:
      return new CommandError(`${address} failed: ${details}`, { cause: error });
  }
}

// Asks a coordinator for token ids, and keeps how it ended.
import type { status } from "@grpc/grpc-js";
import { type Failure, InferenceService } from "@octet/protocol";
import { createClient, fromServiceError } from "@octet/protocol/grpc";

/** A lost device compiles its shaders again, on cores that are shared with everybody. */
const deadlineMs = 240_000;

/** How a generation ended, and what came before. */
export interface Generated {
  readonly code: status;
  readonly details: string;
  readonly tokenIds: number[];
  /** What a program may rely on of a status that is not OK. */
  readonly failure: Failure | undefined;
}

/** One greedy answer of `maxTokens` tokens; `onToken` is told of each as it comes. */
export function generateTokens(
  address: string,
  promptTokenIds: Iterable<number>,
  maxTokens: number,
  onToken: (numTokens: number) => void = () => {},
): Promise<Generated> {
  const client = createClient(InferenceService, address);
  const call = client.generate(
    {
      input: { case: "tokens", value: { ids: [...promptTokenIds] } },
      sampling: { temperature: 0 },
      stop: { maxTokens, ignoreEos: true },
      details: true,
    },
    { deadlineMs },
  );
  return new Promise((resolve) => {
    const tokenIds: number[] = [];
    call.on("data", ({ event }) => {
      if (event.case !== "delta") return;
      tokenIds.push(...event.value.tokenIds);
      onToken(tokenIds.length);
    });
    let failure: Failure | undefined;
    call.on("error", (error) => {
      failure = fromServiceError(error);
    });
    call.on("status", ({ code, details }) => {
      client.close();
      // "error" comes after it.
      setImmediate(() => resolve({ code, details, tokenIds, failure }));
    });
  });
}

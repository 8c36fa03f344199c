// Asks a coordinator for token ids, and keeps how it ended.
import type { status } from "@grpc/grpc-js";
import { InferenceService } from "@octet/protocol";
import { createClient } from "@octet/protocol/grpc";

/** The first answer waits for shaders to be compiled, a process at a time. */
const deadlineMs = 150_000;

/** How a generation ended, and what came before. */
export interface Generated {
  readonly code: status;
  readonly details: string;
  readonly tokenIds: number[];
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
    call.on("error", () => {}); // its status says the same
    call.on("status", ({ code, details }) => {
      client.close();
      resolve({ code, details, tokenIds });
    });
  });
}

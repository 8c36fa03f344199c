// Tokens of greedy or sampled answers, asked for over gRPC as a user asks.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  GenerateFinished,
  GenerateResponse,
  InferenceService,
  SamplingParamsSchema,
} from "@octet/protocol";
import type { GrpcClient } from "@octet/protocol/grpc";
import type { StreamTokens } from "./generate-side-by-side.ts";

/** Longest that one answer may take. */
const deadlineMs = 600_000;

/** How an answer's tokens are chosen; by default greedily. */
export type Sampling = MessageInitShape<typeof SamplingParamsSchema>;

/** @param onFinished told what came with each answer's end */
export function tokenStreamOf(
  client: GrpcClient<typeof InferenceService>,
  onFinished: (finished: GenerateFinished) => void,
  sampling: Sampling = { temperature: 0 },
): StreamTokens {
  return (promptTokenIds, maxTokens, { prefixCache }) =>
    tokensOf(
      client.generate(
        {
          input: { case: "tokens", value: { ids: [...promptTokenIds] } },
          sampling,
          stop: { maxTokens, ignoreEos: true },
          scheduling: { prefixCache },
          details: true, // token ids are among them
        },
        { deadlineMs },
      ),
      onFinished,
    );
}

async function* tokensOf(
  responses: AsyncIterable<GenerateResponse>,
  onFinished: (finished: GenerateFinished) => void,
): AsyncGenerator<readonly number[], void> {
  for await (const { event } of responses) {
    if (event.case === "delta") yield event.value.tokenIds;
    if (event.case === "finished") onFinished(event.value);
  }
}

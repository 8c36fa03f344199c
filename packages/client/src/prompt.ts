// What users write for a request, and the request on the wire.
import { clone, create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type ChatMessageSchema,
  type ChatRequestSchema,
  type GenerateRequest,
  GenerateRequestSchema,
  type SamplingParams,
  SamplingParamsSchema,
  type TokenizeRequestSchema,
} from "@octet/protocol";

type TextPrompt = { readonly text: string };
type TokenPrompt = { readonly tokenIds: readonly number[] };
type ChatPrompt = { readonly messages: readonly MessageInitShape<typeof ChatMessageSchema>[] };

/** A prompt: text to continue, token ids used as given, or a conversation. */
export type Prompt = TextPrompt | TokenPrompt | ChatPrompt;

/** A prompt, and how to answer it: `sampling`, `stop` and the like, as the wire's request has them. */
export type GenerateParams = Prompt & BesideInput<typeof GenerateRequestSchema>;

/** A conversation, and how to go on with it, as the wire's request has it. */
export type ChatParams = Exclude<
  MessageInitShape<typeof ChatRequestSchema>,
  { $typeName: "octet.inference.v1.ChatRequest" }
>;

/** A prompt that is not tokens yet, and whether special tokens are added. */
export type TokenizeParams = (TextPrompt | ChatPrompt) & BesideInput<typeof TokenizeRequestSchema>;

type BesideInput<Schema extends typeof GenerateRequestSchema | typeof TokenizeRequestSchema> = Omit<
  Exclude<MessageInitShape<Schema>, { $typeName: Schema["typeName"] }>,
  "input" | "$typeName" | "$unknown"
>;

/** The request that says the same; what the wire does not know of `params`, it leaves out. */
export function toGenerateRequest(params: GenerateParams): GenerateRequest {
  return create(
    GenerateRequestSchema,
    "tokenIds" in params
      ? { ...params, input: { case: "tokens", value: { ids: [...params.tokenIds] } } }
      : { ...params, input: toTextInput(params) },
  );
}

/** The same request with a seed; without one it stays as it is. */
export function withSeed<Request extends { sampling?: SamplingParams | undefined }>(
  request: Request,
  seed: bigint | undefined,
): Request {
  if (seed === undefined) return request;
  const sampling = clone(SamplingParamsSchema, request.sampling ?? create(SamplingParamsSchema));
  sampling.seed = seed;
  return { ...request, sampling };
}

/** The request that says the same. */
export function toTokenizeRequest(
  params: TokenizeParams,
): MessageInitShape<typeof TokenizeRequestSchema> {
  return { ...params, input: toTextInput(params) };
}

type TextInput = Exclude<MessageInitShape<typeof TokenizeRequestSchema>["input"], undefined>;

function toTextInput(prompt: TextPrompt | ChatPrompt): TextInput {
  return "text" in prompt
    ? { case: "text", value: prompt.text }
    : { case: "chat", value: { messages: [...prompt.messages] } };
}

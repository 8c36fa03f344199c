// Parameters out of range, or that contradict each other, and the field that is to blame.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { GenerateRequestSchema } from "@octet/protocol";

type Parameters = MessageInitShape<typeof GenerateRequestSchema>;

const notNumbers = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

function outOfRange<Value>(
  field: string,
  values: readonly Value[],
  build: (value: Value) => Parameters,
): [string, Parameters][] {
  return values.map((value) => [field, build(value)]);
}

const tooManyIds = (count: number) => Array.from({ length: count }, (_, id) => id % 320);

const regex = (pattern: string) => ({ kind: { case: "regex", value: pattern } }) as const;
const grammar = (value: string) => ({ kind: { case: "grammar", value } }) as const;
const jsonSchema = (value: string) => ({ kind: { case: "jsonSchema", value } }) as const;
const choice = (options: string[]) => ({ kind: { case: "choice", value: { options } } }) as const;
const nested = (depth: number, [open, close]: readonly [string, string]) =>
  open.repeat(depth) + close.repeat(depth);

/** Constraints that cannot be enforced. */
export const malformedConstraints: readonly (readonly [string, Parameters["constraint"]])[] = [
  ["a JSON Schema that is no JSON", jsonSchema("{")],
  ["a JSON Schema that is a number", jsonSchema("1e999")],
  ["a JSON Schema of too many levels", jsonSchema(nested(10_000, ['{"items":', "}"]))],
  ["a JSON Schema of bounds that exclude each other", jsonSchema('{"minLength":5,"maxLength":2}')],
  ["a JSON Schema with what cannot be enforced", jsonSchema('{"not":{}}')],
  ["a regular expression that does not end", regex("(")],
  ["a regular expression that looks ahead", regex("(?=a)a")],
  ["a regular expression that repeats back to front", regex("a{5,2}")],
  ["a regular expression of too many groups", regex(nested(100_000, ["(", ")"]))],
  ["no choice", choice([])],
  ["choices of too many bytes", choice(["x".repeat(300_000)])],
  ["a grammar without a rule", grammar("")],
  ["a grammar without a root", grammar('a ::= "a"')],
  ["a grammar that lacks a rule", grammar("root ::= missing")],
  ["a grammar with a NUL", grammar("\u0000")],
];

/** Of a model with 320 tokens and a context of 256. */
export const malformedParameters: readonly (readonly [field: string, request: Parameters])[] = [
  ...outOfRange("sampling.temperature", [-0.1, ...notNumbers], (temperature) => ({
    sampling: { temperature },
  })),
  ...outOfRange("sampling.top_p", [0, -1, 1.01, ...notNumbers], (topP) => ({ sampling: { topP } })),
  ...outOfRange("sampling.min_p", [-0.1, 1, ...notNumbers], (minP) => ({ sampling: { minP } })),
  ...outOfRange("sampling.repetition_penalty", [0, -1, ...notNumbers], (repetitionPenalty) => ({
    sampling: { repetitionPenalty },
  })),
  ...outOfRange("sampling.presence_penalty", [2.1, -2.1, ...notNumbers], (presencePenalty) => ({
    sampling: { presencePenalty },
  })),
  ...outOfRange("sampling.frequency_penalty", [2.1, -2.1, ...notNumbers], (frequencyPenalty) => ({
    sampling: { frequencyPenalty },
  })),
  ...outOfRange("sampling.logit_bias", [100.5, -100.5, ...notNumbers], (bias) => ({
    sampling: { logitBias: { 5: bias } },
  })),
  ["sampling.logit_bias", { sampling: { logitBias: { 320: 1 } } }],
  [
    "sampling.logit_bias",
    { sampling: { logitBias: Object.fromEntries(Array.from({ length: 1025 }, (_, i) => [i, 1])) } },
  ],
  ["sampling.allowed_token_ids", { sampling: { allowedTokenIds: [0xffff_ffff] } }],
  ["sampling.allowed_token_ids", { sampling: { allowedTokenIds: tooManyIds(32_769) } }],
  ["sampling.bad_words", { sampling: { badWords: [" "] } }],
  ["sampling.bad_words", { sampling: { badWords: Array(129).fill("x") } }],
  ["sampling.bad_words", { sampling: { badWords: ["x".repeat(1025)] } }],
  ["sampling.bad_words", { sampling: { badWords: ["\u{1F600}".repeat(65)] } }],
  ["truncate_prompt_tokens", { truncatePromptTokens: 0 }],
  ["output.logprob_token_ids", { output: { logprobTokenIds: [1] } }],
  ["output.logprob_token_ids", { output: { topLogprobs: 0, logprobTokenIds: [320] } }],
  ["output.logprob_token_ids", { output: { topLogprobs: 0, logprobTokenIds: tooManyIds(1025) } }],
  ["stop.token_ids", { stop: { tokenIds: tooManyIds(65) } }],
  ["stop.token_ids", { stop: { tokenIds: [320] } }],
  ["stop.min_tokens", { stop: { maxTokens: 2, minTokens: 3 } }],
  ["stop.min_tokens", { stop: { minTokens: 256 } }],
  ["stop.min_tokens", { output: { promptTopLogprobs: 0 }, stop: { maxTokens: 0, minTokens: 1 } }],
  ["stop.max_tokens", { stop: { maxTokens: 0 } }],
  ["stop.max_tokens", { stop: { maxTokens: 0 }, output: { topLogprobs: 3, progress: true } }],
  ...outOfRange("output.top_logprobs", [21, 0xffff_ffff], (topLogprobs) => ({
    output: { topLogprobs },
  })),
  ...outOfRange("output.prompt_top_logprobs", [21, 0xffff_ffff], (promptTopLogprobs) => ({
    output: { promptTopLogprobs },
  })),
  ["n", { n: 0 }],
  ["n", { n: 9 }],
  ["n", { n: 0xffff_ffff }],
  ["constraint", { constraint: {} }],
  ["constraint", { constraint: { kind: { case: "jsonObject", value: false } } }],
  ["stop.ignore_eos", { stop: { ignoreEos: true }, constraint: regex("a") }],
  ["scheduling.client_id", { scheduling: { clientId: "x".repeat(257) } }],
  ["scheduling.cache_salt", { scheduling: { cacheSalt: "x".repeat(257) } }],
];

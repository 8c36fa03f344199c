// The flags that choose how an answer is sampled, alike in every command that asks for one.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { OutputParamsSchema, SamplingParamsSchema, StopParamsSchema } from "@octet/protocol";
import { type Command, InvalidArgumentError } from "commander";

/** What commander hands over for {@link addSamplingFlags}. */
export interface SamplingFlags {
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly seed?: bigint;
  readonly repetitionPenalty?: number;
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly logitBias?: Readonly<Record<number, number>>;
  readonly allowToken?: readonly number[];
  readonly maxTokens?: number;
  readonly stop?: readonly string[];
  readonly stopToken?: readonly number[];
  readonly minTokens?: number;
  readonly includeStop?: boolean;
  readonly ignoreEos?: boolean;
  readonly logprobs?: number;
  readonly promptLogprobs?: number;
  readonly routedExperts?: boolean;
}

/** Adds --temperature and its like to a command. */
export function addSamplingFlags(command: Command): Command {
  return command
    .option("--max-tokens <n>", "longest answer, in tokens", parseWhole)
    .option("--temperature <t>", "0 picks the likeliest token every time", parseNumber)
    .option("--top-k <k>", "keep the k likeliest tokens", parseWhole)
    .option("--top-p <p>", "keep the likeliest tokens that reach this probability", parseNumber)
    .option("--min-p <p>", "drop tokens below this share of the likeliest one", parseNumber)
    .option("--seed <n>", "same seed, same answer", parseSeed)
    .option("--repetition-penalty <f>", "above 1, repeat less of prompt and answer", parseNumber)
    .option("--presence-penalty <p>", "-2 to 2, against tokens in the answer", parseNumber)
    .option("--frequency-penalty <p>", "-2 to 2, for each time a token is there", parseNumber)
    .option("--logit-bias <id=bias>", "-100 to 100 for one token; may be given again", addBias)
    .option("--allow-token <id>", "only these tokens; may be given again", addTokenId)
    .option("--stop <text>", "end before this text; may be given again", collect)
    .option("--stop-token <id>", "end with this token; may be given again", addTokenId)
    .option("--include-stop", "print the text that --stop found as well")
    .option("--min-tokens <n>", "shortest answer, in tokens", parseWhole)
    .option("--ignore-eos", "go on after the model's end of sequence");
}

/** The request's parts; what was not given stays unset, so that the server's defaults hold. */
export function toRequestParams(
  flags: SamplingFlags,
  defaults: { temperature?: number; maxTokens?: number } = {},
): {
  sampling: MessageInitShape<typeof SamplingParamsSchema>;
  stop: MessageInitShape<typeof StopParamsSchema>;
  output: MessageInitShape<typeof OutputParamsSchema>;
} {
  const temperature = flags.temperature ?? defaults.temperature;
  const maxTokens = flags.maxTokens ?? defaults.maxTokens;
  return {
    sampling: {
      ...(temperature === undefined ? {} : { temperature }),
      ...(flags.topK === undefined ? {} : { topK: flags.topK }),
      ...(flags.topP === undefined ? {} : { topP: flags.topP }),
      ...(flags.minP === undefined ? {} : { minP: flags.minP }),
      ...(flags.seed === undefined ? {} : { seed: flags.seed }),
      ...penaltiesOf(flags),
    },
    stop: {
      strings: [...(flags.stop ?? [])],
      ...(maxTokens === undefined ? {} : { maxTokens }),
      ...(flags.stopToken === undefined ? {} : { tokenIds: [...flags.stopToken] }),
      ...(flags.minTokens === undefined ? {} : { minTokens: flags.minTokens }),
      ...(flags.includeStop === undefined ? {} : { includeStopString: flags.includeStop }),
      ...(flags.ignoreEos === undefined ? {} : { ignoreEos: flags.ignoreEos }),
    },
    output: {
      ...(flags.logprobs === undefined ? {} : { topLogprobs: flags.logprobs }),
      ...(flags.promptLogprobs === undefined ? {} : { promptTopLogprobs: flags.promptLogprobs }),
      ...(flags.routedExperts === undefined ? {} : { routedExperts: flags.routedExperts }),
    },
  };
}

/** Adds the flags of what `--json` may print besides; for commands that have it. */
export function addOutputFlags(command: Command): Command {
  return command
    .option("--logprobs <n>", "with --json: each token's, and the n likeliest ones'", parseWhole)
    .option("--prompt-logprobs <n>", "with --json: the same of the prompt's tokens", parseWhole)
    .option("--routed-experts", "with --json: each token's experts, layer by layer");
}

function penaltiesOf(flags: SamplingFlags): MessageInitShape<typeof SamplingParamsSchema> {
  const { repetitionPenalty, presencePenalty, frequencyPenalty, logitBias, allowToken } = flags;
  return {
    ...(repetitionPenalty === undefined ? {} : { repetitionPenalty }),
    ...(presencePenalty === undefined ? {} : { presencePenalty }),
    ...(frequencyPenalty === undefined ? {} : { frequencyPenalty }),
    ...(logitBias === undefined ? {} : { logitBias: { ...logitBias } }),
    ...(allowToken === undefined ? {} : { allowedTokenIds: [...allowToken] }),
  };
}

function addBias(text: string, before: Readonly<Record<number, number>> = {}) {
  const [tokenId, bias, ...more] = text.split("=");
  if (bias === undefined || more.length > 0) {
    throw new InvalidArgumentError("not a token id, an equals sign and a number: 1234=-5");
  }
  return { ...before, [parseWhole(tokenId!)]: parseNumber(bias) };
}

function addTokenId(text: string, before: readonly number[] = []): number[] {
  return [...before, parseWhole(text)];
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("not a number");
  return value;
}

/** A whole number from 0 up that fits the wire's uint32. */
export function parseWhole(text: string): number {
  const value = parseNumber(text);
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw new InvalidArgumentError("not a whole number from 0 up");
  }
  return value;
}

function parseSeed(text: string): bigint {
  if (!/^\d{1,20}$/.test(text) || BigInt(text) > 0xffff_ffff_ffff_ffffn) {
    throw new InvalidArgumentError("not a whole number from 0 to 2^64 - 1");
  }
  return BigInt(text);
}

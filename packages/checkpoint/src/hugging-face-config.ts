// Translates Hugging Face's config.json into our words, once. Everything past this file is ours.
import { join } from "node:path";
import {
  activationBytesMax,
  type ModelConfig,
  numExpertsMax,
  numExpertsPerTokenMax,
  numLayersMax,
  rowsPerCallMax,
} from "@octet/core";
import { z } from "zod";
import { CheckpointError } from "./checkpoint-error.ts";
import { readJsonFile, readRequiredJsonFile } from "./json-file.ts";

/** H, I and V are refused above what one activation row on the wire may carry, or beyond reason. */
const hiddenSizeMax = activationBytesMax / rowsPerCallMax / 4;
const sizeMax = 2 ** 24;

/**
 * The shape of the model in a Hugging Face directory, from config.json; the tokens that end a
 * sequence from generation_config.json where that names any, as transformers' generate does.
 *
 * Fields that config.json leaves out take the defaults of transformers' MixtralConfig.
 *
 * @throws {CheckpointError} "missing-file"; "bad-config" for a value of the wrong kind or out of
 *   range; "unsupported-model" for another architecture, scaled rope, another activation, or a
 *   quantised checkpoint. Each says what was expected and what was found.
 * @see transformers 5.23.0, models/mixtral/configuration_mixtral.py
 */
export async function readModelConfig(dir: string): Promise<ModelConfig> {
  const file = join(dir, "config.json");
  const features = await readRequiredJsonFile(file, HuggingFaceFeatures, "a model's config.json");
  refuseUnsupported(features, file);
  const sizes = await readRequiredJsonFile(file, HuggingFaceSizes, "a model's config.json");
  const generationFile = join(dir, "generation_config.json");
  const generation = await readJsonFile(generationFile, GenerationConfig);
  const eosTokenIds = toTokenIds(generation?.eos_token_id ?? sizes.eos_token_id);
  const model: ModelConfig = {
    hiddenSize: sizes.hidden_size,
    intermediateSize: sizes.intermediate_size,
    numLayers: sizes.num_hidden_layers,
    numAttentionHeads: sizes.num_attention_heads,
    numKeyValueHeads: sizes.num_key_value_heads ?? sizes.num_attention_heads,
    headDim: sizes.head_dim ?? Math.floor(sizes.hidden_size / sizes.num_attention_heads),
    numExperts: sizes.num_local_experts,
    numExpertsPerToken: sizes.num_experts_per_tok,
    vocabSize: sizes.vocab_size,
    maxPositions: sizes.max_position_embeddings,
    ropeTheta: ropeTheta(sizes, file),
    rmsNormEps: sizes.rms_norm_eps,
    slidingWindow: sizes.sliding_window ?? undefined,
    tieWordEmbeddings: sizes.tie_word_embeddings,
    bosTokenId: sizes.bos_token_id ?? undefined,
    eosTokenIds,
  };
  refuseContradictions(model, sizes.head_dim ?? undefined, file);
  return model;
}

function say(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}

function integer(min: number, max: number) {
  return z.custom<number>(
    (value) => Number.isInteger(value) && min <= Number(value) && Number(value) <= max,
    { error: ({ input }) => `expected an integer from ${min} to ${max}, found ${say(input)}` },
  );
}

const positive = z.custom<number>(
  (value) => typeof value === "number" && value > 0 && Number.isFinite(value),
  { error: ({ input }) => `expected a positive number, found ${say(input)}` },
);

const tokenId = integer(0, sizeMax);
const tokenIdOrList = z.union([tokenId, z.array(tokenId)], {
  error: ({ input }) => `expected a token id or a list of them, found ${say(input)}`,
});

const RopeParameters = z.looseObject({
  rope_type: z.unknown().optional(),
  type: z.unknown().optional(),
  rope_theta: positive.nullish(),
  partial_rotary_factor: z.unknown().optional(),
});

/** What decides whether we can run the model at all; checked first, so that it is said first. */
const HuggingFaceFeatures = z.looseObject({
  architectures: z.unknown().optional(),
  hidden_act: z.unknown().optional(),
  rope_scaling: RopeParameters.nullish(),
  rope_parameters: RopeParameters.nullish(),
  quantization_config: z.unknown().optional(),
});

const HuggingFaceSizes = z.looseObject({
  hidden_size: integer(1, hiddenSizeMax),
  intermediate_size: integer(1, sizeMax),
  num_hidden_layers: integer(1, numLayersMax),
  num_attention_heads: integer(1, hiddenSizeMax),
  num_key_value_heads: integer(1, hiddenSizeMax).nullish(),
  head_dim: integer(2, hiddenSizeMax).nullish(),
  num_local_experts: integer(1, numExpertsMax).default(8),
  num_experts_per_tok: integer(1, numExpertsPerTokenMax).default(2),
  vocab_size: integer(1, sizeMax),
  max_position_embeddings: integer(1, 2 ** 31 - 1).default(4096 * 32),
  rope_theta: positive.nullish(),
  rope_scaling: RopeParameters.nullish(),
  rope_parameters: RopeParameters.nullish(),
  rms_norm_eps: positive.default(1e-5),
  sliding_window: integer(1, 2 ** 31 - 1).nullish(),
  tie_word_embeddings: z.boolean().default(false),
  bos_token_id: tokenId.nullable().default(1),
  eos_token_id: tokenIdOrList.nullable().default(2),
});

const GenerationConfig = z.looseObject({ eos_token_id: tokenIdOrList.nullish() });

function refuseUnsupported(found: z.infer<typeof HuggingFaceFeatures>, file: string): void {
  const refuse = (detail: string) => {
    throw new CheckpointError("unsupported-model", { file }, { detail });
  };
  const architectures = Array.isArray(found.architectures) ? found.architectures : [];
  if (!architectures.includes("MixtralForCausalLM")) {
    refuse(`architectures: expected MixtralForCausalLM, found ${say(found.architectures)}`);
  }
  if (found.quantization_config !== undefined && found.quantization_config !== null) {
    refuse(
      "quantization_config: expected none, found " +
        `${say(found.quantization_config)}; use the checkpoint this one was quantised from`,
    );
  }
  if (found.hidden_act !== undefined && found.hidden_act !== "silu") {
    refuse(`hidden_act: expected "silu", found ${say(found.hidden_act)}`);
  }
  for (const key of ["rope_scaling", "rope_parameters"] as const) {
    const rope = found[key] ?? {};
    const kind = rope.rope_type ?? rope.type ?? "default";
    if (kind !== "default") refuse(`${key}: expected "default", found ${say(kind)}`);
    const factor = rope.partial_rotary_factor ?? 1;
    if (factor !== 1) refuse(`${key}.partial_rotary_factor: expected 1, found ${say(factor)}`);
  }
}

/** Transformers 5 keeps theta inside rope_parameters, version 4 beside it. */
function ropeTheta(sizes: z.infer<typeof HuggingFaceSizes>, file: string): number {
  const inside = sizes.rope_parameters?.rope_theta ?? sizes.rope_scaling?.rope_theta ?? undefined;
  const beside = sizes.rope_theta ?? undefined;
  if (inside !== undefined && beside !== undefined && inside !== beside) {
    const detail = `rope_theta: expected one value, found ${beside} and, among rope's, ${inside}`;
    throw new CheckpointError("bad-config", { file }, { detail });
  }
  const mixtralTheta = 1_000_000;
  return inside ?? beside ?? mixtralTheta;
}

function toTokenIds(ids: number | number[] | null): number[] {
  if (ids === null) return [];
  return Array.isArray(ids) ? [...new Set(ids)] : [ids];
}

function refuseContradictions(
  model: ModelConfig,
  explicitHeadDim: number | undefined,
  file: string,
): void {
  const refuse = (detail: string) => {
    throw new CheckpointError("bad-config", { file }, { detail });
  };
  if (model.numExpertsPerToken > model.numExperts) {
    refuse(
      `num_experts_per_tok: expected at most num_local_experts (${model.numExperts}), ` +
        `found ${model.numExpertsPerToken}`,
    );
  }
  if (explicitHeadDim === undefined && model.hiddenSize % model.numAttentionHeads !== 0) {
    refuse(
      `hidden_size: expected a multiple of num_attention_heads (${model.numAttentionHeads}) ` +
        `where head_dim is not given, found ${model.hiddenSize}`,
    );
  }
  if (model.headDim % 2 !== 0) {
    refuse(`head_dim: expected an even number, found ${model.headDim}`);
  }
  if (model.numAttentionHeads % model.numKeyValueHeads !== 0) {
    refuse(
      `num_key_value_heads: expected a divisor of num_attention_heads ` +
        `(${model.numAttentionHeads}), found ${model.numKeyValueHeads}`,
    );
  }
  const ids = [...model.eosTokenIds, ...(model.bosTokenId === undefined ? [] : [model.bosTokenId])];
  const outside = ids.find((id) => id >= model.vocabSize);
  if (outside !== undefined) {
    refuse(
      `bos or eos token: expected an id below vocab_size ${model.vocabSize}, found ${outside}`,
    );
  }
}

// ModelConfig as JSON: what manifests carry. JSON has no undefined, so absent keys stand for it.
import { type ModelConfig, numExpertsMax, numExpertsPerTokenMax, numLayersMax } from "@octet/core";
import { z } from "zod";

const count = z.number().int().positive();
const tokenId = z.number().int().nonnegative();

/** Parses what {@link modelToJson} made. */
export const ModelConfigJson = z
  .strictObject({
    hiddenSize: count,
    intermediateSize: count,
    numLayers: count.max(numLayersMax),
    numAttentionHeads: count,
    numKeyValueHeads: count,
    headDim: count,
    numExperts: count.max(numExpertsMax),
    numExpertsPerToken: count.max(numExpertsPerTokenMax),
    vocabSize: count,
    maxPositions: count,
    ropeTheta: z.number().positive(),
    rmsNormEps: z.number().positive(),
    slidingWindow: count.optional(),
    tieWordEmbeddings: z.boolean(),
    bosTokenId: tokenId.optional(),
    eosTokenIds: z.array(tokenId),
  })
  .transform(
    (json): ModelConfig => ({
      ...json,
      slidingWindow: json.slidingWindow,
      bosTokenId: json.bosTokenId,
    }),
  );

/** The config with its keys in one fixed order, so that equal models make equal JSON. */
export function modelToJson(model: ModelConfig): Record<string, unknown> {
  return {
    hiddenSize: model.hiddenSize,
    intermediateSize: model.intermediateSize,
    numLayers: model.numLayers,
    numAttentionHeads: model.numAttentionHeads,
    numKeyValueHeads: model.numKeyValueHeads,
    headDim: model.headDim,
    numExperts: model.numExperts,
    numExpertsPerToken: model.numExpertsPerToken,
    vocabSize: model.vocabSize,
    maxPositions: model.maxPositions,
    ropeTheta: model.ropeTheta,
    rmsNormEps: model.rmsNormEps,
    slidingWindow: model.slidingWindow,
    tieWordEmbeddings: model.tieWordEmbeddings,
    bosTokenId: model.bosTokenId,
    eosTokenIds: model.eosTokenIds,
  };
}

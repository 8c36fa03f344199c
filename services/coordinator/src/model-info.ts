// What clients may know of the model.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ShardManifest } from "@octet/checkpoint";
import type { GrpcExpertClient } from "@octet/cluster";
import type { EngineKind } from "@octet/kernels";
import type { ModelSchema } from "@octet/protocol";
import { RequestError } from "./request-error.ts";

/** Who serves the model, and how. */
export interface ModelServing {
  /** Longest sequence that is served: the KV cache may hold less than the model could. */
  readonly contextTokens: number;
  /** The coordinator's own. */
  readonly engineKind: EngineKind;
  readonly workers: ReturnType<GrpcExpertClient["workers"]>;
  readonly hasChatTemplate: boolean;
}

/** The model as ListModels and GetModel describe it. */
export function toModelMessage(
  manifest: ShardManifest,
  { contextTokens, engineKind, workers, hasChatTemplate }: ModelServing,
): MessageInitShape<typeof ModelSchema> {
  const { model } = manifest;
  return {
    name: manifest.modelName,
    maxPositions: contextTokens,
    vocabSize: model.vocabSize,
    numLayers: model.numLayers,
    numExperts: model.numExperts,
    numExpertsPerToken: model.numExpertsPerToken,
    hiddenSize: model.hiddenSize,
    intermediateSize: model.intermediateSize,
    weightDtype: manifest.weightDtype,
    engineKind,
    hasChatTemplate,
    workerEngineKinds: engineKindsOf(workers),
  };
}

/** Each kind of a connected worker once, sorted. */
function engineKindsOf(workers: ModelServing["workers"]): string[] {
  const connected = workers.filter(({ state }) => state === "ready");
  const kinds = connected.flatMap(({ description }) => description?.engineKind ?? []);
  return [...new Set(kinds)].sort();
}

/** @throws {RequestError} "model_not_found" unless `asked` is empty or the model's name */
export function requireModel(asked: string, served: string): void {
  if (asked === "" || asked === served) return;
  const detail = `model: expected "${served}" or none, found "${asked}"`;
  throw new RequestError("model_not_found", detail, { field: "model" });
}

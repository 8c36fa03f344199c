// What one step of a model must read and compute, whoever does it.
import { type ModelConfig, toExpertId, type WeightDtype } from "@octet/core";
import { elementBytes, elementCount } from "../../../packages/checkpoint/src/safetensors-header.ts";
import {
  plannedTensors,
  type ShardKey,
  storedTensors,
} from "../../../packages/checkpoint/src/shard-plan.ts";

/** Bytes and operations of a model. An operation is an addition or a multiplication. */
export interface ModelCosts {
  /** Read by every step: attention, gate, norms, LM head. Of the embedding a step reads a row. */
  readonly sharedBytes: number;
  /** One expert of one layer. */
  readonly expertBytes: number;
  /** Keys and values of one position, all layers. */
  readonly kvBytes: number;
  /** Matrix products of one token of a prompt, its K experts included and its logits not. */
  readonly tokenOps: number;
  /** Of one row of logits. */
  readonly logitsOps: number;
}

/** KV caches hold two bytes an element, ours and the peer's. */
const kvElementBytes = 2;

/** The costs of a model whose weights are stored in `weightDtype`. */
export function costsOf(model: ModelConfig, weightDtype: WeightDtype): ModelCosts {
  const { numLayers, numExpertsPerToken, numKeyValueHeads, headDim, hiddenSize } = model;
  const coordinator = sizesOf(model, weightDtype, { kind: "coordinator" });
  const expertId = toExpertId(0, model.numExperts);
  const expert = sizesOf(model, weightDtype, { kind: "expert", expertId });
  const logitsElements = model.vocabSize * hiddenSize;
  const attentionElements = coordinator.matrixElements - logitsElements;
  const expertElements = (expert.matrixElements / numLayers) * numExpertsPerToken;
  return {
    sharedBytes: coordinator.bytes,
    expertBytes: expert.bytes / numLayers,
    kvBytes: 2 * numLayers * numKeyValueHeads * headDim * kvElementBytes,
    tokenOps: 2 * (attentionElements + expertElements * numLayers),
    logitsOps: 2 * logitsElements,
  };
}

function sizesOf(model: ModelConfig, weightDtype: WeightDtype, shard: ShardKey) {
  const used = plannedTensors(model, shard).filter(({ role }) => role !== "embedding");
  const stored = used.flatMap((tensor) => storedTensors(tensor, weightDtype));
  return {
    bytes: sum(stored.map(({ dtype, shape }) => elementCount(shape) * elementBytes[dtype])),
    matrixElements: sum(
      used.filter(({ role }) => role === "matrix").map(({ shape }) => elementCount(shape)),
    ),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

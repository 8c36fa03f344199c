// Counts what the GPU engines ask of a device for each decoded token, once warm.
import { join } from "node:path";
import {
  type ActivationRows,
  activationRowBytes,
  dispatchDtype,
  toBlockId,
  toExpertId,
  type WeightDtype,
} from "@octet/core";
import {
  type AttentionEngine,
  type ExpertBatch,
  type ExpertEngine,
  type ExpertOutput,
  type GpuCounts,
  gpuThreadCounts,
  openWebGpuAttentionEngine,
  openWebGpuExpertEngine,
  type StepSequence,
} from "@octet/kernels";
import { tinyModel, writeSyntheticModel } from "@octet/kernels/conformance";

/** Counts by who asked. */
export interface DecodeCounts {
  readonly device: string;
  readonly tokens: number;
  readonly layers: number;
  readonly expertCalls: number;
  /** By calls of every size since the engines were open, the first included. */
  readonly kernelsCompiled: number;
  /** Of all layers of all tokens, at the coordinator. */
  readonly coordinator: GpuCounts;
  /** Of all expert calls. */
  readonly worker: GpuCounts;
  /** Of the ends of steps: the last combine, norm and logits, and the choice. */
  readonly finish: GpuCounts;
}

/** Whole blocks and panels everywhere, as real models have, so that bytes are the format's. */
export const countedModel = tinyModel({
  hiddenSize: 256,
  intermediateSize: 512,
  numLayers: 3,
  numAttentionHeads: 8,
  numKeyValueHeads: 2,
  headDim: 32,
  numExperts: 4,
  vocabSize: 320,
});

const tokens = 4;
/** Past the first chunk of attention, and room for what is decoded. */
const promptTokens = 270;
/** Numbers of rows for which kernels differ, the last the prompt that is decoded from. */
const promptLengths = [3, 20, promptTokens];
const expertRows = [1, 3, 20, 70];
const pool = { numBlocks: 20, blockSizeTokens: 16 };

/** Opens both engines on a model of random weights below `folder`, and decodes a few tokens. */
export async function countDecode(folder: string, dtype: WeightDtype): Promise<DecodeCounts> {
  const path = join(folder, dtype);
  const model = countedModel;
  const weights = await writeSyntheticModel({ path, model, weightDtype: dtype, seed: 7 });
  const expertIds = Array.from({ length: model.numExperts }, (_, id) =>
    toExpertId(id, model.numExperts),
  );
  const common = { model, weightDtype: dtype, threads: 1, allowSoftwareAdapter: true };
  const attention = await openWebGpuAttentionEngine({ ...common, weights, ...pool });
  const experts = await openWebGpuExpertEngine({ ...common, weights: [weights], expertIds });
  try {
    return await countTokens(attention, experts);
  } finally {
    await attention.close();
    await experts.close();
  }
}

async function countTokens(attention: AttentionEngine, experts: ExpertEngine) {
  const { numLayers } = countedModel;
  const counter = new Counter();
  const { kernelsCompiled: compiledBefore } = await deviceCounts();
  for (const length of promptLengths) {
    const prompt = Int32Array.from({ length }, (_, i) => i % countedModel.vocabSize);
    await runStep(attention, experts, { sequence: sequenceOf(prompt, 0), counter });
  }
  // Every expert's first call makes its bind groups.
  for (const rows of expertRows) await touchExperts(experts, rows);
  let position = promptTokens;
  for (; position < promptTokens + 2; position++) {
    await runStep(attention, experts, { sequence: decodeAt(position), counter });
  }
  counter.reset();
  for (; position < promptTokens + 2 + tokens; position++) {
    await runStep(attention, experts, { sequence: decodeAt(position), counter });
  }
  const { coordinator, worker, finish, expertCalls } = counter;
  const { device } = attention;
  const kernelsCompiled = (await deviceCounts()).kernelsCompiled - compiledBefore;
  return {
    ...{ device, tokens, layers: numLayers, expertCalls, kernelsCompiled },
    ...{ coordinator, worker, finish },
  };
}

function sequenceOf(tokenIds: Int32Array, startPosition: number): StepSequence {
  const blockTable = Array.from({ length: pool.numBlocks }, (_, i) => toBlockId(i));
  return { tokenIds, startPosition, blockTable, logits: "last" };
}

function decodeAt(position: number): StepSequence {
  return sequenceOf(Int32Array.of(position % countedModel.vocabSize), position);
}

async function touchExperts(experts: ExpertEngine, rows: number): Promise<void> {
  const width = countedModel.hiddenSize;
  const dtype = dispatchDtype(experts.weightDtype);
  const data = new Uint8Array(rows * activationRowBytes(dtype, width));
  const input: ActivationRows = { dtype, rows, width, data };
  for (let layer = 0; layer < countedModel.numLayers; layer++) {
    for (const expertId of experts.expertIds) await experts.forward({ layer, expertId, input });
  }
}

async function runStep(
  attention: AttentionEngine,
  experts: ExpertEngine,
  { sequence, counter }: { readonly sequence: StepSequence; readonly counter: Counter },
): Promise<void> {
  const step = attention.openStep([sequence]);
  let outputs: ExpertOutput[] = [];
  for (let layer = 0; layer < countedModel.numLayers; layer++) {
    const { batches } = await counter.count("coordinator", () => step.runLayer(layer, outputs));
    // What a step hands out is good until its next call, which is after the experts' answers.
    outputs = await counter.count("worker", () => answer(experts, layer, batches));
    counter.expertCalls += batches.length;
  }
  await counter.count("finish", () => step.finishTop(outputs, 1));
}

async function answer(
  experts: ExpertEngine,
  layer: number,
  batches: readonly ExpertBatch[],
): Promise<ExpertOutput[]> {
  const outputs: ExpertOutput[] = [];
  for (const { expertId, input } of batches) {
    outputs.push({ expertId, output: await experts.forward({ layer, expertId, input }) });
  }
  return outputs;
}

class Counter {
  coordinator = zero;
  worker = zero;
  finish = zero;
  expertCalls = 0;

  reset(): void {
    this.coordinator = this.worker = this.finish = zero;
    this.expertCalls = 0;
  }

  async count<Result>(
    who: "coordinator" | "worker" | "finish",
    run: () => Promise<Result>,
  ): Promise<Result> {
    const before = await deviceCounts();
    const result = await run();
    this[who] = combine(this[who], combine(await deviceCounts(), before, -1), 1);
    return result;
  }
}

const zero: GpuCounts = {
  dispatches: 0,
  submits: 0,
  readBacks: 0,
  weightBytesRead: 0,
  cacheBytesRead: 0,
  objectsCreated: 0,
  kernelsCompiled: 0,
};

/** a + sign × b */
function combine(a: GpuCounts, b: GpuCounts, sign: 1 | -1): GpuCounts {
  return {
    dispatches: a.dispatches + sign * b.dispatches,
    submits: a.submits + sign * b.submits,
    readBacks: a.readBacks + sign * b.readBacks,
    weightBytesRead: a.weightBytesRead + sign * b.weightBytesRead,
    cacheBytesRead: a.cacheBytesRead + sign * b.cacheBytesRead,
    objectsCreated: a.objectsCreated + sign * b.objectsCreated,
    kernelsCompiled: a.kernelsCompiled + sign * b.kernelsCompiled,
  };
}

async function deviceCounts(): Promise<GpuCounts> {
  return (await gpuThreadCounts())!.counts; // an engine is open
}

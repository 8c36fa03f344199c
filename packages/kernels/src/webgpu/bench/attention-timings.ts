// Times the kernels of a layer at the coordinator, and of the logits.
import { passBytesMax } from "../attend-dispatches.ts";
import { StepBuffers, scratchFor } from "../attention-buffers.ts";
import { layerDispatches, logitDispatches } from "../attention-dispatches.ts";
import { type AttentionTuning, loadAttentionKernels } from "../attention-kernels.ts";
import { type AttentionShape, cacheBytes } from "../attention-shape.ts";
import type { GpuAttentionWeights, GpuLayer } from "../attention-weights.ts";
import { BindGroups } from "../device/bind-groups.ts";
import type { Dispatch } from "../device/commands.ts";
import { matrixBuffers } from "../gpu-matrix.ts";
import { GrownBuffers } from "../grown-buffers.ts";
import type { AttentionContext } from "../layer-run.ts";
import { buildStepTables, type PlainSequence } from "../step-tables.ts";
import { createFilled, createRandomMatrix, floatWords } from "../tuning/random-matrix.ts";
import { copiesOf, type TuningLab } from "../tuning/tune-products.ts";
import {
  type BenchedStep,
  type KernelTiming,
  type TimingContext,
  timeKernel,
} from "./kernel-timing.ts";

/** What the kernels are run with. */
export interface AttentionBench {
  readonly shape: AttentionShape;
  readonly tuning: AttentionTuning;
  readonly steps: readonly BenchedStep[];
  /** Tokens that decoded sequences have already; prompts begin at nothing. */
  readonly pastTokens: number;
}

const blockSizeTokens = 16;

/** Each step's kernels in their order, the logits' last. */
export async function timeAttention(
  lab: TuningLab,
  context: TimingContext,
  bench: AttentionBench,
): Promise<KernelTiming[]> {
  const { device } = lab;
  const { shape, tuning } = bench;
  const kernels = loadAttentionKernels(device, shape, { embeddingDtype: "bf16", tuning });
  const weights = createRandomWeights(lab, bench);
  const groups = new BindGroups(device);
  const buffers = new GrownBuffers(device, groups);
  const stepBuffers = new StepBuffers(device, groups, shape);
  const attention: AttentionContext = {
    ...{ shape, weights, kernels, groups, buffers },
    ...{ blockSizeTokens, passBytesMax },
  };
  const timings: KernelTiming[] = [];
  try {
    for (const step of bench.steps) {
      const places = dispatchesOf(attention, stepBuffers, { step, pastTokens: bench.pastTokens });
      for (const alternates of places) {
        const readsCache =
          step.kind === "decode" && alternates[0]!.kernel.form.shader === "attend-chunks";
        const perToken = shape.keyWidth * (shape.cacheIsBf16 ? 2 : 4) * 2;
        const cacheBytes = readsCache ? step.rows * (bench.pastTokens + 1) * perToken : 0;
        timings.push(
          await timeKernel(context, alternates, { step, side: "coordinator", cacheBytes }),
        );
      }
    }
    return timings;
  } finally {
    stepBuffers.destroy();
    buffers.destroy();
    weights.destroy();
  }
}

/** For each place of a layer its dispatches in every layer; then those of the logits. */
function dispatchesOf(
  context: AttentionContext,
  stepBuffers: StepBuffers,
  { step, pastTokens }: { readonly step: BenchedStep; readonly pastTokens: number },
): Dispatch[][] {
  const { shape, weights, buffers } = context;
  const tables = buildStepTables(sequencesOf(step, pastTokens), shape.model);
  const bound = stepBuffers.open(tables);
  const scratch = scratchFor(buffers, shape, tables.numTokens);
  const perToken = shape.model.numExpertsPerToken;
  const one = 0x3f800000; // the bits of 1, f32
  const answers = tables.numTokens * perToken;
  const routes = Uint32Array.from({ length: 2 * answers }, (_, i) => (i % 2 === 0 ? i / 2 : one));
  const replies = new Uint8Array(answers * shape.replyRowWords * 4);
  const input = { kind: "replies", ...stepBuffers.writeReplies(replies, routes) } as const;
  const run = { tables, step: bound, scratch, input };
  const logits = buffers.get("logits", tables.logitRows.length * shape.logitStride * 4);
  const layers = weights.layers.map((layer) => layerDispatches(context, layer, run));
  const ends = logitDispatches(context, run, logits);
  return [
    ...Array.from(layers[0]!, (_, place) => layers.map((dispatches) => dispatches[place]!)),
    ...ends.map((dispatch) => [dispatch]),
  ];
}

function sequencesOf({ kind, rows }: BenchedStep, pastTokens: number): PlainSequence[] {
  const isPrompt = kind === "prefill";
  const length = isPrompt ? rows : 1;
  const startPosition = isPrompt ? 0 : pastTokens;
  const blocks = Math.ceil((startPosition + length) / blockSizeTokens);
  return Array.from({ length: isPrompt ? 1 : rows }, (_, sequence) => ({
    tokenIds: new Int32Array(length),
    startPosition,
    blockTable: Int32Array.from({ length: blocks }, (_, i) => sequence * blocks + i),
    logits: "last",
  }));
}

function createRandomWeights(lab: TuningLab, bench: AttentionBench): GpuAttentionWeights {
  const { device } = lab;
  const { shape, steps, pastTokens } = bench;
  const { weightDtype: dtype, model, projectedSize, queryWidth } = shape;
  const { hiddenSize: H, numExperts, vocabSize } = model;
  const made: GPUBuffer[] = [];
  const matrix = (rows: number, columns: number, of = dtype) => {
    const created = createRandomMatrix(device, of, [rows, columns]);
    made.push(...matrixBuffers(created));
    return created;
  };
  const filled = (sizeBytes: number) => {
    const created = createFilled(device, "random tensor", { sizeBytes, words: floatWords });
    made.push(created);
    return created;
  };
  const blocksOf = ({ kind, rows }: BenchedStep) =>
    kind === "prefill"
      ? Math.ceil(rows / blockSizeTokens)
      : rows * Math.ceil((pastTokens + 1) / blockSizeTokens);
  const numBlocks = Math.max(...steps.map(blocksOf));
  const layer = (): GpuLayer => ({
    inputNorm: filled(H * 4),
    projection: matrix(projectedSize, H),
    output: matrix(H, queryWidth),
    postAttentionNorm: filled(H * 4),
    gate: filled(numExperts * H * 4),
    keys: filled(cacheBytes(shape, { numBlocks, blockSizeTokens })),
    values: filled(cacheBytes(shape, { numBlocks, blockSizeTokens })),
  });
  const first = layer();
  const bytes = first.projection.sizeBytes + first.output.sizeBytes;
  const others = Array.from({ length: copiesOf(lab, bytes) - 1 }, layer);
  return {
    // Only its first row is looked up.
    embedding: matrix(1, H, "bf16"),
    layers: [first, ...others],
    finalNorm: filled(H * 4),
    lmHead: matrix(vocabSize, H),
    bytes: 0,
    kvBytes: 0,
    destroy: () => {
      for (const buffer of made) buffer.destroy();
    },
  };
}

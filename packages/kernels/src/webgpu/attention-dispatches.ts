// The dispatches of one layer, and those of a step's end.

import { attend } from "./attend-dispatches.ts";
import { dispatchOf } from "./attention-kernels.ts";
import type { GpuLayer } from "./attention-weights.ts";
import type { Dispatch } from "./device/commands.ts";
import type { AttentionContext, LayerRun } from "./layer-run.ts";
import { multiply } from "./multiply.ts";
import { norm } from "./norm-dispatch.ts";

/** Threads of a workgroup of rotate-store.wgsl. */
const rotateThreads = 256;

/** Eight dispatches, as long as a past fits one pass and all sequences are at the same stage. */
export function layerDispatches(
  context: AttentionContext,
  layer: GpuLayer,
  run: LayerRun,
): Dispatch[] {
  const { kernels, groups } = context;
  const { scratch, step, tables } = run;
  const numRows = tables.numTokens;
  return [
    norm(context, run, { input: run.input, weight: layer.inputNorm, rows: scratch.everyRow }),
    multiply(kernels.product, groups, {
      x: scratch.hidden,
      matrix: layer.projection,
      out: scratch.projected,
      numRows,
    }),
    rotate(context, layer, run),
    ...attend(context, layer, run),
    multiply(kernels.added, groups, {
      x: scratch.attended,
      matrix: layer.output,
      out: step.residual,
      numRows,
    }),
    norm(context, run, {
      input: { kind: "nothing" },
      weight: layer.postAttentionNorm,
      rows: scratch.everyRow,
    }),
    gate(context, layer, run),
  ];
}

/** Logits of the rows that were asked for. */
export function logitDispatches(
  context: AttentionContext,
  run: LayerRun,
  logits: GPUBuffer,
): Dispatch[] {
  const { kernels, groups, weights } = context;
  const { scratch, step, tables } = run;
  return [
    norm(context, run, { input: run.input, weight: weights.finalNorm, rows: step.logitRows }),
    multiply(kernels.product, groups, {
      x: scratch.hidden,
      matrix: weights.lmHead,
      out: logits,
      numRows: tables.logitRows.length,
    }),
  ];
}

function rotate(
  { shape, kernels, groups, blockSizeTokens }: AttentionContext,
  { keys, values }: GpuLayer,
  { step, scratch, tables }: LayerRun,
): Dispatch {
  const { model, quadsPerKvHead, projectedStride, keysAt, valuesAt } = shape;
  const { headDim, numAttentionHeads, numKeyValueHeads } = model;
  const pairs = ((numAttentionHeads + 2 * numKeyValueHeads) * headDim) / 2;
  return dispatchOf(kernels.rotate, groups, {
    buffers: [
      scratch.projected,
      step.angles,
      step.tokens,
      step.blocks,
      scratch.queries,
      keys,
      values,
    ],
    parameters: Uint32Array.of(
      headDim,
      numAttentionHeads,
      numKeyValueHeads,
      quadsPerKvHead,
      projectedStride,
      keysAt,
      valuesAt,
      blockSizeTokens,
    ),
    workgroups: [Math.ceil(pairs / rotateThreads), tables.numTokens],
  });
}

function gate(
  { shape, kernels, groups }: AttentionContext,
  layer: GpuLayer,
  { scratch, tables }: LayerRun,
): Dispatch {
  const { hiddenSize, numExperts, numExpertsPerToken } = shape.model;
  return dispatchOf(kernels.gate, groups, {
    buffers: [scratch.normed, layer.gate, scratch.faults, scratch.routing],
    parameters: Uint32Array.of(hiddenSize, numExperts, numExpertsPerToken),
    workgroups: [tables.numTokens, 1],
    weightBytesRead: numExperts * hiddenSize * 4,
  });
}

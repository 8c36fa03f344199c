// Attention of a layer: chunk sums of all tiles, and their merge.
import { dispatchOf } from "./attention-kernels.ts";
import { type AttentionShape, chunkBytes, chunkPositions } from "./attention-shape.ts";
import type { GpuLayer } from "./attention-weights.ts";
import type { Dispatch } from "./device/commands.ts";
import type { AttentionContext, LayerRun } from "./layer-run.ts";
import type { StepTables } from "./step-tables.ts";

/** Threads of a workgroup of merge-chunks.wgsl, of a column each. */
const mergeThreads = 64;

/** Bytes of what chunks sum up to that one pass over a long past may leave in memory. */
export const passBytesMax = 128 * 1024 * 1024;

/** Chunk sums of all tiles, and their merge; for a long past, some chunks after the others. */
export function attend(context: AttentionContext, layer: GpuLayer, run: LayerRun): Dispatch[] {
  const { firstChunk, endChunk, numTokens } = run.tables;
  const bytes = chunkBytes(context.shape);
  const fitting = Math.floor(context.passBytesMax / (bytes.values * numTokens));
  const numChunks = Math.max(1, Math.min(fitting, endChunk - firstChunk));
  const sums = {
    values: context.buffers.get("chunk values", bytes.values * numTokens * numChunks),
    stats: context.buffers.get("chunk stats", bytes.stats * numTokens * numChunks),
  };
  const dispatches: Dispatch[] = [];
  for (let first = firstChunk; first < endChunk; first += numChunks) {
    const pass = { first, numChunks, sums };
    dispatches.push(...attendPass(context, layer, run, pass), merge(context, run, pass));
  }
  return dispatches;
}

interface ChunkPass {
  readonly first: number;
  readonly numChunks: number;
  readonly sums: { readonly values: GPUBuffer; readonly stats: GPUBuffer };
}

function attendPass(
  { shape, kernels, groups, blockSizeTokens }: AttentionContext,
  { keys, values }: GpuLayer,
  { step, scratch, tables }: LayerRun,
  { first, numChunks, sums }: ChunkPass,
): Dispatch[] {
  const { model, quadsPerKvHead, numQuads, valueSlices, window } = shape;
  const { numDecodeTiles, numPrefillTiles } = tables;
  const tiles = [
    { kernel: kernels.attendDecode, firstTile: 0, count: numDecodeTiles },
    { kernel: kernels.attendPrefill, firstTile: numDecodeTiles, count: numPrefillTiles },
  ];
  return tiles
    .filter(({ count }) => count > 0)
    .map(({ kernel, firstTile, count }) =>
      dispatchOf(kernel, groups, {
        buffers: [
          step.tokens,
          step.tiles,
          step.blocks,
          scratch.queries,
          keys,
          values,
          sums.values,
          sums.stats,
        ],
        parameters: Uint32Array.of(
          firstTile,
          first,
          numChunks,
          model.headDim,
          model.numKeyValueHeads,
          quadsPerKvHead,
          blockSizeTokens,
          window,
          valueSlices,
        ),
        workgroups: [numChunks, numQuads * valueSlices, count],
        cacheBytesRead: cacheBytesOf(shape, tables, {
          tiles: [firstTile, firstTile + count],
          chunks: [first, first + numChunks],
        }),
      }),
    );
}

/** A workgroup reads what its tile's tokens see in its chunk, once for all of them. */
function cacheBytesOf(
  { model, numQuads, valueSlices, window, cacheIsBf16 }: AttentionShape,
  { tiles, tokens }: StepTables,
  of: { tiles: readonly [number, number]; chunks: readonly [number, number] },
): number {
  const [begin, end] = of.chunks.map((chunk) => chunk * chunkPositions) as [number, number];
  let positions = 0;
  for (let tile = of.tiles[0]; tile < of.tiles[1]; tile++) {
    const position = tokens[2 * tiles[2 * tile]!]!;
    const oldest = Math.max(begin, position + 1 - window);
    positions += Math.max(0, Math.min(end, position + tiles[2 * tile + 1]!) - oldest);
  }
  // Keys once for each slice of the values.
  const elements = numQuads * (valueSlices + 1) * model.headDim;
  return positions * elements * (cacheIsBf16 ? 2 : 4);
}

function merge(
  { shape, kernels, groups }: AttentionContext,
  { step, scratch, tables }: LayerRun,
  { first, numChunks, sums }: ChunkPass,
): Dispatch {
  const { model, quadsPerKvHead, queryWidth, queryRowWords, window } = shape;
  return dispatchOf(kernels.merge, groups, {
    buffers: [step.tokens, sums.values, sums.stats, scratch.carried, scratch.attended],
    parameters: Uint32Array.of(
      first,
      numChunks,
      model.headDim,
      model.numAttentionHeads,
      model.numKeyValueHeads,
      quadsPerKvHead,
      window,
      queryRowWords,
    ),
    workgroups: [Math.ceil(queryWidth / mergeThreads), tables.numTokens],
  });
}

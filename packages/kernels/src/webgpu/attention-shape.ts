// The sizes that attention kernels are told, worked out once for a model and its weights.
import {
  type ActivationDtype,
  dispatchDtype,
  type ModelConfig,
  panelRows,
  replyDtype,
  type WeightDtype,
} from "@octet/core";
import { deviceRowBytes, deviceWidth } from "./device-rows.ts";

/** Positions of one chunk, whose sums are a result of their own: attend-chunks.wgsl. */
export const chunkPositions = 256;
/** Query heads that kernels take at once. */
const headsPerQuad = 4;
/** Dimensions of a value that one workgroup of attend-chunks.wgsl adds up. */
const valueDimensions = 128;

/** What kernels need to know of a model. Words are of 32 bits, rows filled up as device-rows.ts says. */
export interface AttentionShape {
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  /** How rows reach matrices, and the experts. */
  readonly rowDtype: ActivationDtype;
  readonly replyDtype: ActivationDtype;
  /** Values of one row of the residual stream. */
  readonly hiddenStride: number;
  readonly hiddenRowWords: number;
  readonly replyRowWords: number;
  /** numAttentionHeads × headDim, and of a KV head's side. */
  readonly queryWidth: number;
  readonly keyWidth: number;
  readonly queryRowWords: number;
  /** Rows of queries, keys and values in one matrix, each part of whole panels. */
  readonly keysAt: number;
  readonly valuesAt: number;
  readonly projectedSize: number;
  readonly projectedStride: number;
  readonly logitStride: number;
  /** Query heads of a KV head, by fours. */
  readonly quadsPerKvHead: number;
  readonly numQuads: number;
  readonly valueSlices: number;
  /** The largest, if the model has none: a token sees everything before it. */
  readonly window: number;
  readonly cacheIsBf16: boolean;
}

export function attentionShape(model: ModelConfig, weightDtype: WeightDtype): AttentionShape {
  const { hiddenSize, headDim, numAttentionHeads, numKeyValueHeads, vocabSize } = model;
  const rowDtype = dispatchDtype(weightDtype);
  const queryWidth = numAttentionHeads * headDim;
  const keyWidth = numKeyValueHeads * headDim;
  const keysAt = wholePanels(queryWidth);
  const valuesAt = keysAt + wholePanels(keyWidth);
  const projectedSize = valuesAt + wholePanels(keyWidth);
  const quadsPerKvHead = Math.ceil(numAttentionHeads / numKeyValueHeads / headsPerQuad);
  return {
    model,
    weightDtype,
    rowDtype,
    replyDtype: replyDtype(weightDtype),
    hiddenStride: deviceWidth(hiddenSize),
    hiddenRowWords: deviceRowBytes(rowDtype, hiddenSize) / 4,
    replyRowWords: deviceRowBytes(replyDtype(weightDtype), hiddenSize) / 4,
    queryWidth,
    keyWidth,
    queryRowWords: deviceRowBytes(rowDtype, queryWidth) / 4,
    keysAt,
    valuesAt,
    projectedSize,
    projectedStride: deviceWidth(projectedSize),
    logitStride: deviceWidth(vocabSize),
    quadsPerKvHead,
    numQuads: numKeyValueHeads * quadsPerKvHead,
    valueSlices: Math.ceil(headDim / valueDimensions),
    window: model.slidingWindow ?? 0xffffffff,
    cacheIsBf16: replyDtype(weightDtype) === "bf16",
  };
}

function wholePanels(rows: number): number {
  return Math.ceil(rows / panelRows) * panelRows;
}

/** Bytes of one layer's keys, or values. */
export function cacheBytes(
  { keyWidth, cacheIsBf16 }: AttentionShape,
  { numBlocks, blockSizeTokens }: { numBlocks: number; blockSizeTokens: number },
): number {
  return numBlocks * blockSizeTokens * keyWidth * (cacheIsBf16 ? 2 : 4);
}

/** Bytes of what one token's chunk sums up to: values, and the largest score and weight. */
export function chunkBytes({ numQuads, model }: AttentionShape): { values: number; stats: number } {
  const vectorBytes = 16;
  return {
    values: numQuads * model.headDim * vectorBytes,
    stats: numQuads * 2 * vectorBytes,
  };
}

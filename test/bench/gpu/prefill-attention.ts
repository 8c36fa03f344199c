// Counts the bytes of keys and values that attention of a prompt reads.
import { join } from "node:path";
import { type ModelConfig, toBlockId } from "@octet/core";
import { gpuThreadCounts, openWebGpuAttentionEngine } from "@octet/kernels";
import { tinyModel, writeSyntheticModel } from "@octet/kernels/conformance";

/** One line of `--counts --json`. */
export interface PrefillAttentionLine {
  readonly name: `gpu-prefill-attention-${number}`;
  /** Of the prompt, attended in one step. */
  readonly tokens: number;
  /** In one layer of the model that is counted. */
  readonly cacheBytesRead: number;
  /** What each token would read were it alone. */
  readonly cacheBytesOfTokensAlone: number;
  /** How many tokens share what is read. */
  readonly tokensAtOnce: number;
  /** The same share, in one layer of Mixtral 8x7B. */
  readonly mixtralBytesRead: number;
  /** Least tokens that share what is read. */
  readonly limit: number;
  readonly met: boolean;
}

/** Less than the tile's 16 by what tokens of a tile do not see of it. */
const tokensAtOnceMin = 15;

/** Keys and values of one position in one layer of Mixtral 8x7B: 8 heads of 128, in bf16. */
const mixtralPositionBytes = 2 * 8 * 128 * 2;

const blockSizeTokens = 16;

const model = tinyModel({
  hiddenSize: 64,
  numLayers: 1,
  numAttentionHeads: 4,
  numKeyValueHeads: 1,
  headDim: 16,
  maxPositions: 8192,
});

/** Runs one layer over a prompt of that length. */
export async function countPrefillAttention(
  folder: string,
  tokens: number,
): Promise<PrefillAttentionLine> {
  const path = join(folder, `prefill-${tokens}`);
  const weightDtype = "bf16";
  const weights = await writeSyntheticModel({ path, model, weightDtype, seed: 5 });
  const numBlocks = tokens / blockSizeTokens;
  const engine = await openWebGpuAttentionEngine({
    ...{ model, weightDtype, weights, numBlocks, blockSizeTokens },
    ...{ threads: 1, allowSoftwareAdapter: true },
  });
  try {
    const before = (await gpuThreadCounts())!.counts.cacheBytesRead;
    const step = engine.openStep([
      {
        tokenIds: Int32Array.from({ length: tokens }, (_, i) => i % model.vocabSize),
        startPosition: 0,
        blockTable: Array.from({ length: numBlocks }, (_, i) => toBlockId(i)),
        logits: "none",
      },
    ]);
    await step.runLayer(0, []);
    return judge(tokens, (await gpuThreadCounts())!.counts.cacheBytesRead - before);
  } finally {
    await engine.close();
  }
}

/** Holds what one layer read against what tokens would have read one by one. */
export function judge(tokens: number, cacheBytesRead: number): PrefillAttentionLine {
  const positionsAlone = (tokens * (tokens + 1)) / 2;
  const cacheBytesOfTokensAlone = positionsAlone * positionBytes(model);
  const tokensAtOnce = cacheBytesOfTokensAlone / cacheBytesRead;
  return {
    name: `gpu-prefill-attention-${tokens}`,
    ...{ tokens, cacheBytesRead, cacheBytesOfTokensAlone, tokensAtOnce },
    mixtralBytesRead: (positionsAlone * mixtralPositionBytes) / tokensAtOnce,
    limit: tokensAtOnceMin,
    met: tokensAtOnce >= tokensAtOnceMin,
  };
}

function positionBytes({ numKeyValueHeads, headDim }: ModelConfig): number {
  return 2 * numKeyValueHeads * headDim * 2;
}

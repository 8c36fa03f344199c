// The logits of a few tokens, without the text generator around the engines.
import { toBlockId } from "@octet/core";
import type { ExpertOutput } from "@octet/kernels";
import { blockSizeTokens, type OneProcess } from "./open-one-process.ts";

const callDeadlineMs = 60_000;

/** @returns [t, V]: the logits after each token, computed in one step */
export async function stepLogits(
  { attention, experts }: Pick<OneProcess, "attention" | "experts">,
  tokenIds: readonly number[],
): Promise<Float32Array> {
  const numBlocks = Math.ceil(tokenIds.length / blockSizeTokens);
  const step = attention.openStep([
    {
      tokenIds: Int32Array.from(tokenIds),
      startPosition: 0,
      blockTable: Array.from({ length: numBlocks }, (_, block) => toBlockId(block)),
      logits: "all",
    },
  ]);
  let previous: ExpertOutput[] = [];
  for (let layer = 0; layer < attention.model.numLayers; layer++) {
    const { batches } = await step.runLayer(layer, previous);
    previous = await Promise.all(
      batches.map(async ({ expertId, input }) => {
        const call = { layer, expertId, input };
        const { output } = await experts.forward(call, { deadlineMs: callDeadlineMs });
        return { expertId, output };
      }),
    );
  }
  return await step.finish(previous);
}

// A whole model in this process: the engines that nine processes would hold, and no network.
import { openShard, readShardSet } from "@octet/checkpoint";
import { createInProcessExpertClient } from "@octet/cluster";
import { toExpertId } from "@octet/core";
import type { ExpertClient } from "@octet/engine";
import { type AttentionEngine, openCpuAttentionEngine, openCpuExpertEngine } from "@octet/kernels";

/** Tokens of one KV block, as in the coordinator. */
export const blockSizeTokens = 16;

/** How a model is opened. */
export interface OneProcessOptions {
  /** A set of shards. */
  readonly dir: string;
  /** Compute threads of either engine; attention and experts take turns. */
  readonly threads: number;
  readonly kvTokens: number;
}

/** A model that is open in this process. */
export interface OneProcess extends AsyncDisposable {
  readonly attention: AttentionEngine;
  readonly experts: ExpertClient;
}

/** Opens the shards as the services do, without checking their SHA-256. */
export async function openOneProcess(options: OneProcessOptions): Promise<OneProcess> {
  const { threads, kvTokens } = options;
  const set = await readShardSet(options.dir);
  const { model, weightDtype } = set;
  const { weights } = await openShard(set.coordinator.dir, { verify: false });
  const numBlocks = Math.ceil(kvTokens / blockSizeTokens);
  const kv = { numBlocks, blockSizeTokens };
  const attention = await openCpuAttentionEngine({ model, weightDtype, weights, threads, ...kv });
  const opened = await Promise.all(set.experts.map(({ dir }) => openShard(dir, { verify: false })));
  const expertEngine = await openCpuExpertEngine({
    model,
    weightDtype,
    weights: opened.map((shard) => shard.weights),
    expertIds: opened.map((_, id) => toExpertId(id, model.numExperts)),
    threads,
  });
  const experts = createInProcessExpertClient([expertEngine]);
  return {
    attention,
    experts,
    [Symbol.asyncDispose]: async () => {
      await experts.close();
      await Promise.all([attention.close(), expertEngine.close()]);
    },
  };
}

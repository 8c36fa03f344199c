// The flags that choose a local cluster's model and shape, alike in `up` and `run`.
import { availableParallelism } from "node:os";
import type { ShardSetIndex } from "@octet/checkpoint";
import { type WeightDtype, weightDtypes } from "@octet/core";
import { type Command, Option } from "commander";
import {
  addGpuFlags,
  type EngineKind,
  engineKinds,
  type GpuFlags,
  gpuSettings,
  parseEngineKinds,
} from "../engine-flags.ts";
import { bundledModelDir, resolveShardSet } from "../model-folder.ts";
import { parseWhole } from "../sampling-flags.ts";
import { speculationOption } from "../speculation-flag.ts";
import { createClusterDisplay } from "./cluster-display.ts";
import { findFreePorts } from "./free-ports.ts";
import { LocalCluster } from "./local-cluster.ts";

/** What commander hands over for {@link addClusterFlags}. */
export interface ClusterFlags extends GpuFlags {
  readonly model?: string;
  readonly dtype: WeightDtype;
  readonly engine: EngineKind;
  readonly workerEngine?: readonly EngineKind[];
  readonly threads?: number;
  readonly kvTokens?: number;
  readonly speculation?: string;
  readonly startTimeout: number;
  readonly verify: boolean;
}

/** Adds --model and its like to a command. */
export function addClusterFlags(command: Command): Command {
  return addGpuFlags(command)
    .option("--model <dir>", "shards or a Hugging Face checkpoint (default: the bundled model)")
    .addOption(
      new Option("--dtype <dtype>", "how a checkpoint is sharded")
        .choices(weightDtypes)
        .default("bf16"),
    )
    .addOption(new Option("--engine <kind>", "what computes").choices(engineKinds).default("cpu"))
    .option(
      "--worker-engine <kinds>",
      "what computes experts, if not the same; of several (cpu,webgpu) workers take turns",
      parseEngineKinds,
    )
    .option(
      "--threads <n>",
      "compute threads of each service (default: one for each core)",
      parseWhole,
    )
    .option("--kv-tokens <n>", "tokens of KV cache to allocate", parseWhole)
    .addOption(speculationOption())
    .option("--start-timeout <s>", "longest the start may take, in seconds", parseWhole, 600)
    .option("--no-verify", "start without checking the shards' SHA-256");
}

/**
 * Starts a coordinator and a worker for each expert, showing how far they are on standard error.
 *
 * @param ports.coordinator undefined takes a free one, as every worker does
 * @param ports.http of a gateway to start too; undefined starts none
 */
export async function startLocalCluster(
  flags: ClusterFlags,
  ports: { readonly coordinator?: number | undefined; readonly http?: number | undefined },
  signal: AbortSignal,
): Promise<{ cluster: LocalCluster; address: string; index: ShardSetIndex }> {
  const model = flags.model ?? bundledModelDir();
  const index = await resolveShardSet(model, { dtype: flags.dtype, signal });
  const { numExperts } = index.model;
  const freePorts = await findFreePorts(numExperts + 2);
  const [freeAddress, adminAddress, ...workerAddresses] = freePorts.map(
    (free) => `127.0.0.1:${free}`,
  );
  const address = ports.coordinator === undefined ? freeAddress! : `127.0.0.1:${ports.coordinator}`;

  process.stderr.write(
    `octet: starting ${index.modelName} (${index.weightDtype}): a coordinator and ` +
      `${numExperts} expert-workers${ports.http === undefined ? "" : ", and a gateway"}\n`,
  );
  const display = createClusterDisplay(process.stderr);
  const cores = availableParallelism();
  try {
    const cluster = await LocalCluster.start(
      {
        coordinatorDir: index.coordinator.dir,
        experts: index.experts.map(({ dir }, expertId) => ({ expertId, dir })),
        engineKind: flags.engine,
        workerEngineKinds: flags.workerEngine ?? [flags.engine],
        coordinatorAddress: address,
        workerAddresses,
        // A token's K experts compute at the same time; threads of their own for every core let
        // the one that is left use them all.
        workerThreads: flags.threads ?? cores,
        coordinatorThreads: flags.threads ?? cores,
        sharedSettings: { OCTET_VERIFY: String(flags.verify), ...gpuSettings(flags) },
        coordinatorSettings: {
          ...(flags.kvTokens === undefined ? {} : { OCTET_KV_TOKENS: String(flags.kvTokens) }),
          ...(flags.speculation === undefined ? {} : { OCTET_SPECULATION: flags.speculation }),
        },
        gateway:
          ports.http === undefined
            ? undefined
            : { address: `127.0.0.1:${ports.http}`, adminAddress: adminAddress! },
        startTimeoutMs: flags.startTimeout * 1000,
        onStatus: (status) => display.update(status),
        onWarning: (name, line) => display.warn(name, line),
      },
      signal,
    );
    display.finish(cluster.members);
    return { cluster, address, index };
  } catch (error) {
    display.abandon();
    throw error;
  }
}

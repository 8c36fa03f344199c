// Opens the coordinator's shard, picks the engine, finds the experts, serves the model.
import { setTimeout as delay } from "node:timers/promises";
import { openShard, type ShardManifest } from "@octet/checkpoint";
import { createGrpcExpertClient, type GrpcExpertClient } from "@octet/cluster";
import { createConstraints } from "@octet/constraint";
import { type ExpertId, toExpertId } from "@octet/core";
import { createEngine } from "@octet/engine";
import { InferenceService, readinessName } from "@octet/protocol";
import {
  ConfigError,
  DeviceWatch,
  type OpenedServer,
  openAdminServer,
  type RunningService,
  shardProgressLog,
  startOnServer,
} from "@octet/service";
import type { Logger } from "@octet/telemetry";
import { openTokenizer } from "@octet/tokenizer";
import { ClusterStateFeed, toClusterState } from "./cluster-state.ts";
import type { CoordinatorConfig } from "./config.ts";
import { createInferenceHandlers } from "./inference-service.ts";
import { toModelMessage } from "./model-info.ts";
import { openEngine } from "./open-engine.ts";
import { describeAway, followReadiness } from "./readiness.ts";
import type { InferenceContext, Serving } from "./serving.ts";

/** Tokens of one KV block. */
const blockSizeTokens = 16;
/** Most sequences in one step; each needs a token of the step's budget. */
const activeSequencesMax = 64;
/** What streams may take to hear that they have ended, in ms. */
const closeGraceMs = 500;

/**
 * Serves one model. It listens at once, so that liveness can be asked, and becomes ready when its
 * weights are checked and every expert can be reached; it stays up while experts come and go.
 *
 * @throws {ConfigError} for a shard that is not a coordinator's, a placement that leaves an expert
 *   out, or an address it may not listen on
 * @throws {CheckpointError} for a shard that is damaged
 */
export function startCoordinator(
  config: CoordinatorConfig,
  log: Logger,
  signal: AbortSignal,
): Promise<RunningService> {
  const server = {
    listen: config.OCTET_LISTEN,
    services: [InferenceService],
    allowPlaintext: config.OCTET_ALLOW_PLAINTEXT,
  };
  return startOnServer(server, log, (opened) => serveModel(config, log, signal, opened));
}

async function serveModel(
  config: CoordinatorConfig,
  log: Logger,
  signal: AbortSignal,
  opened: OpenedServer,
): Promise<RunningService> {
  const admin = await openAdminServer(
    { listen: config.OCTET_ADMIN_LISTEN, allowPlaintext: config.OCTET_ALLOW_PLAINTEXT },
    log,
  );
  const counting = admin && (await import("./coordinator-metrics.ts"));
  const calls = admin && (await import("./expert-metrics.ts"));
  const metrics = admin && counting?.createRequestMetrics(admin.metrics);
  let serving: Serving = { kind: "loading", doneBytes: 0, totalBytes: 0 };
  opened.plain.serve(InferenceService, (grpc) =>
    createInferenceHandlers({
      serving: () => serving,
      grpc,
      log,
      onAnswerFailed: metrics?.failed,
    }),
  );
  const logProgress = shardProgressLog(log);
  const { manifest, weights, dir } = await openShard(config.OCTET_SHARD_DIR, {
    verify: config.OCTET_VERIFY,
    onProgress: (progress) => {
      serving = { kind: "loading", ...progress };
      logProgress(progress);
    },
    signal,
  });
  requireCoordinatorShard(manifest, dir);
  const tokenizer = await openTokenizer(dir);
  const experts = connectExperts(config, manifest, log);
  const device = new DeviceWatch(log);
  const attention = await openEngine(config, device, {
    model: manifest.model,
    weightDtype: manifest.weightDtype,
    weights,
    numBlocks: Math.ceil(config.OCTET_KV_TOKENS / blockSizeTokens),
    blockSizeTokens,
    threads: config.OCTET_THREADS,
  });
  const engine = createEngine({
    attention,
    experts: (admin && calls?.meterExperts(experts, admin.metrics)) ?? experts,
    microBatches: config.OCTET_MICRO_BATCHES,
    speculation: config.OCTET_SPECULATION === "auto",
    limits: {
      stepTokensMax: config.OCTET_STEP_TOKENS_MAX,
      activeSequencesMax: Math.min(config.OCTET_STEP_TOKENS_MAX, activeSequencesMax),
      queuedSequencesMax: config.OCTET_QUEUE_MAX,
      expertDeadlineMs: config.OCTET_EXPERT_DEADLINE_MS,
      expertRowMs: config.OCTET_EXPERT_ROW_MS,
    },
    log,
  });
  if (admin) {
    counting?.addGauges(admin.metrics, { load: () => engine.load(), workers: experts.workers });
  }
  const clusterState = new ClusterStateFeed(() =>
    toClusterState({
      model: manifest.modelName,
      ready: opened.health.isServing(readinessName) === true,
      workers: experts.workers(),
      load: engine.load(),
      blockTokens: blockSizeTokens,
    }),
  );
  const { vocabSize, eosTokenIds } = manifest.model;
  const constraints = createConstraints({ tokenizer, vocabSize, stopTokenIds: eosTokenIds });
  const context: InferenceContext = {
    engine,
    tokenizer,
    constraints,
    modelName: manifest.modelName,
    vocabSize,
    maxPositions: engine.contextTokens,
    describeModel: () =>
      toModelMessage(manifest, {
        contextTokens: engine.contextTokens,
        engineKind: attention.kind,
        workers: experts.workers(),
        hasChatTemplate: tokenizer.hasChatTemplate,
      }),
    clusterState,
    metrics,
  };
  serving = { kind: "loaded", context };
  const loaded = {
    engine: attention.kind,
    device: attention.device,
    weightBytes: attention.weightBytes,
  };
  log.info("shard loaded", { ...loaded, kvBytes: attention.kvBytes });
  const readiness = followReadiness(experts, device, (ready) => {
    opened.health.setReady(ready);
    if (ready) {
      log.info("ready", {
        address: opened.address,
        ...loaded,
        residentBytes: process.memoryUsage.rss(),
        uptimeMs: Math.round(process.uptime() * 1000),
      });
    } else {
      const gpu = device.isLost ? { gpu: "lost" } : {};
      log.warn("not ready", { away: describeAway(experts), ...gpu });
    }
  });
  device.follow({
    onLost: () => readiness.check(),
    onBack: () => readiness.check(),
  });
  return {
    failed: device.failed,
    stop: async () => {
      device.unfollow();
      readiness.stop();
      opened.health.setReady(false);
      clusterState.close();
      await Promise.race([engine.drain(), delay(config.OCTET_DRAIN_MS)]);
      await engine.close();
      await constraints.close();
      await opened.close(closeGraceMs);
      await admin?.close();
      await experts.close();
      await attention.close();
    },
  };
}

function requireCoordinatorShard(manifest: ShardManifest, dir: string): void {
  if (manifest.kind === "coordinator") return;
  throw new ConfigError(
    `OCTET_SHARD_DIR=${dir} holds the shard of expert ${manifest.expertId}; a coordinator needs ` +
      "the coordinator's, the folder beside it",
  );
}

function connectExperts(
  config: CoordinatorConfig,
  manifest: ShardManifest,
  log: Logger,
): GrpcExpertClient {
  const { model, weightDtype, modelDigest } = manifest;
  const expertsAt = new Map<string, ExpertId[]>();
  for (const [id, address] of config.OCTET_EXPERTS) {
    if (id >= model.numExperts) {
      throw new ConfigError(`OCTET_EXPERTS: expert ${id} of ${model.numExperts}`);
    }
    const expertId = toExpertId(id, model.numExperts);
    expertsAt.set(address, [...(expertsAt.get(address) ?? []), expertId]);
  }
  const placement = Array.from(expertsAt, ([address, expertIds]) => ({ address, expertIds }));
  const engineKinds = config.OCTET_WORKER_ENGINES ?? [config.OCTET_ENGINE];
  const expected = { ...model, weightDtype, modelDigest, engineKinds };
  try {
    return createGrpcExpertClient({ placement, expected, log });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ConfigError(`OCTET_EXPERTS: ${error.message}`, { cause: error });
  }
}

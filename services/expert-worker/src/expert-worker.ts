// Opens one shard, picks the engine, serves its experts.
import { randomUUID } from "node:crypto";
import { openShard, type ShardManifest } from "@octet/checkpoint";
import { toExpertId } from "@octet/core";
import { ExpertService } from "@octet/protocol";
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
import type { ExpertWorkerConfig } from "./config.ts";
import { createExpertService, registerExperts } from "./expert-service.ts";
import { openEngine } from "./open-engine.ts";

/**
 * Serves one shard. It listens at once, so that liveness can be asked, and becomes ready when the
 * weights are checked and mapped.
 *
 * @throws {ConfigError} for a shard that is not an expert's, or an address it may not listen on
 * @throws {CheckpointError} for a shard that is damaged
 */
export function startExpertWorker(
  config: ExpertWorkerConfig,
  log: Logger,
  signal: AbortSignal,
): Promise<RunningService> {
  const server = {
    listen: config.OCTET_LISTEN,
    services: [ExpertService],
    allowPlaintext: config.OCTET_ALLOW_PLAINTEXT,
  };
  return startOnServer(server, log, (opened) => serveShard(config, log, signal, opened));
}

async function serveShard(
  config: ExpertWorkerConfig,
  log: Logger,
  signal: AbortSignal,
  opened: OpenedServer,
): Promise<RunningService> {
  const { manifest, weights } = await openShard(config.OCTET_SHARD_DIR, {
    verify: config.OCTET_VERIFY,
    onProgress: shardProgressLog(log),
    signal,
  });
  const expertId = expertOf(manifest, config.OCTET_SHARD_DIR);
  const workerId = config.OCTET_WORKER_ID ?? `expert-${expertId}`;
  const device = new DeviceWatch(log);
  const engine = await openEngine(config, device, {
    model: manifest.model,
    weightDtype: manifest.weightDtype,
    weights: [weights],
    expertIds: [expertId],
    threads: config.OCTET_THREADS,
  });
  const admin = await openAdminServer(
    { listen: config.OCTET_ADMIN_LISTEN, allowPlaintext: config.OCTET_ALLOW_PLAINTEXT },
    log,
  );
  const service = createExpertService({
    engine,
    workerId,
    startId: randomUUID(),
    modelDigest: manifest.modelDigest,
    useFastPath: config.OCTET_FAST_PATH,
    log: log.child({ workerId }),
    observer: admin && (await import("./worker-metrics.ts")).createCallObserver(admin.metrics),
  });
  admin?.metrics.beforePrint(() => service.countAnswered());
  registerExperts(opened, service);
  opened.health.setReady(true);
  // Streams stay open meanwhile: each call hears why it is not computed, and may be made again.
  device.follow({
    onLost: () => opened.health.setReady(false),
    onBack: () => opened.health.setReady(true),
  });
  log.info("ready", {
    workerId,
    address: opened.address,
    engine: engine.kind,
    device: engine.device,
    weightBytes: engine.weightBytes,
    residentBytes: process.memoryUsage.rss(),
    uptimeMs: Math.round(process.uptime() * 1000),
  });
  return {
    failed: device.failed,
    stop: async () => {
      device.unfollow();
      opened.health.setReady(false);
      await service.drain(config.OCTET_DRAIN_MS);
      await opened.close(0);
      await admin?.close();
      await engine.close();
    },
  };
}

function expertOf(manifest: ShardManifest, dir: string) {
  if (manifest.kind !== "expert" || manifest.expertId === undefined) {
    throw new ConfigError(
      `OCTET_SHARD_DIR=${dir} holds the ${manifest.kind}'s shard; an expert-worker needs an ` +
        "expert's, such as expert-00",
    );
  }
  return toExpertId(manifest.expertId, manifest.model.numExperts);
}

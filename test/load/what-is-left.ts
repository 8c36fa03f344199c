// Whether a cluster that nobody asks any more is as it was: what its services say of themselves.
import { setTimeout as delay } from "node:timers/promises";
import { residentBytes } from "../faults/resident-memory.ts";
import type { GatewayCluster } from "../gateway/gateway-cluster.ts";

/** Longest to wait until those who left are let go, in ms. */
const idleTimeoutMs = 15_000;

/** What is held by whom. All zero means that nothing leaked. */
export interface HeldResources {
  readonly sequencesRunning: number;
  readonly sequencesWaiting: number;
  readonly kvBlocks: number;
  readonly gatewayAnswers: number;
  readonly gatewayConnections: number;
}

interface ClusterBody {
  readonly data: readonly {
    readonly kv_cache: { blocks_total: number; blocks_free: number; blocks_cached: number };
    readonly scheduler: { running: number; waiting: number };
  }[];
}

/** Waits until nothing is held, or too long; says what still is. */
export async function waitUntilIdle(cluster: GatewayCluster): Promise<HeldResources> {
  const giveUpAtMs = performance.now() + idleTimeoutMs;
  for (;;) {
    const held = await readHeld(cluster);
    const isIdle = Object.values(held).every((count) => count === 0);
    if (isIdle || performance.now() > giveUpAtMs) return held;
    await delay(100);
  }
}

async function readHeld(cluster: GatewayCluster): Promise<HeldResources> {
  const { data } = (await (await cluster.get("/v1/cluster")).json()) as ClusterBody;
  const { kv_cache: cache, scheduler } = data[0]!;
  const { adminAddress } = cluster.gateway.lines.find(({ event }) => event === "listening")!.fields;
  const metrics = await (await fetch(`http://${adminAddress}/metrics`)).text();
  const gauge = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(metrics)?.[1]);
  return {
    sequencesRunning: scheduler.running,
    sequencesWaiting: scheduler.waiting,
    kvBlocks: cache.blocks_total - cache.blocks_free - cache.blocks_cached,
    gatewayAnswers: gauge("octet_gateway_answers_under_way"),
    // Requests, streams included, that it has not ended; the one for the state is over.
    gatewayConnections: gauge("octet_gateway_requests_open"),
  };
}

/** Resident bytes of each process. */
export function readMemory(cluster: GatewayCluster): Record<string, number> {
  const services = [cluster.gateway, cluster.coordinator, ...cluster.workers.workers];
  return Object.fromEntries(
    services.map(({ process }) => [process.name, residentBytes(process.pid!)]),
  );
}

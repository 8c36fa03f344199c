// The bundled model behind a gateway, as real processes, and HTTP calls of it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readShardSet, shardCheckpoint } from "@octet/checkpoint";
import {
  startCoordinator,
  startGateway,
  type TestedService,
  TestedWorkers,
} from "../cluster/service-cluster.ts";

const bundledModel = fileURLToPath(new URL("../../models/octet-tiny", import.meta.url));

/** A gateway, a coordinator, eight workers. */
export class GatewayCluster implements AsyncDisposable {
  readonly gateway: TestedService;
  readonly coordinator: TestedService;
  readonly workers: TestedWorkers;
  readonly #folder: string;

  private constructor(
    services: { gateway: TestedService; coordinator: TestedService; workers: TestedWorkers },
    folder: string,
  ) {
    this.gateway = services.gateway;
    this.coordinator = services.coordinator;
    this.workers = services.workers;
    this.#folder = folder;
  }

  /** Resolves when the gateway can answer. */
  static async start(
    settings: {
      gateway?: Record<string, string>;
      coordinator?: Record<string, string>;
      sourceDir?: string;
    } = {},
  ): Promise<GatewayCluster> {
    const folder = await mkdtemp(join(tmpdir(), "octet-gateway-"));
    const outDir = join(folder, "shards");
    const sourceDir = settings.sourceDir ?? bundledModel;
    await shardCheckpoint({ sourceDir, outDir, weightDtype: "bf16", modelName: "octet-tiny" });
    const index = await readShardSet(outDir);
    const workers = await TestedWorkers.start(index);
    const coordinator = await startCoordinator(index, workers.placement, settings.coordinator);
    const gateway = await startGateway([coordinator.address], settings.gateway);
    return new GatewayCluster({ gateway, coordinator, workers }, folder);
  }

  /** Sends `body` as JSON, or as it is if it is a string. */
  post(path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
    return fetch(`http://${this.gateway.address}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...init,
    });
  }

  get(path: string): Promise<Response> {
    return fetch(`http://${this.gateway.address}${path}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway[Symbol.asyncDispose]();
    await this.coordinator[Symbol.asyncDispose]();
    await this.workers[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The JSON of every event of a stream that ended with [DONE]; comments are left out. */
export function eventsOf(sse: string): Record<string, unknown>[] {
  const data = sse
    .split("\n\n")
    .filter((block) => block.startsWith("data: "))
    .map((block) => block.slice("data: ".length));
  if (data.at(-1) !== "[DONE]") throw new Error("the stream did not end with [DONE]");
  return data.slice(0, -1).map((json) => JSON.parse(json));
}

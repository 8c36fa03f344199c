// The bundled model behind a gateway, as real processes, and HTTP calls of it.
import type { WeightDtype } from "@octet/core";
import {
  bundledModelDir,
  startGateway,
  type TestedService,
  type TestedWorkers,
} from "../cluster/service-cluster.ts";
import { type SmallCluster, startSmallCluster } from "../cluster/small-cluster.ts";

/** A gateway, a coordinator, eight workers. */
export class GatewayCluster implements AsyncDisposable {
  readonly gateway: TestedService;
  readonly #cluster: SmallCluster;

  private constructor(gateway: TestedService, cluster: SmallCluster) {
    this.gateway = gateway;
    this.#cluster = cluster;
  }

  /** Resolves when the gateway can answer. */
  static async start(
    settings: {
      gateway?: Record<string, string>;
      coordinator?: Record<string, string>;
      sourceDir?: string;
      weightDtype?: WeightDtype;
    } = {},
  ): Promise<GatewayCluster> {
    const { sourceDir = bundledModelDir, weightDtype = "bf16", coordinator = {} } = settings;
    const model = { sourceDir, weightDtype, modelName: "octet-tiny" };
    await using started = new AsyncDisposableStack();
    const cluster = started.use(await startSmallCluster({ ...model, settings: coordinator }));
    const gateway = await startGateway([cluster.address], settings.gateway);
    started.move();
    return new GatewayCluster(gateway, cluster);
  }

  get coordinator(): TestedService {
    return this.#cluster.coordinator;
  }

  get workers(): TestedWorkers {
    return this.#cluster.workers;
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
    await this.#cluster[Symbol.asyncDispose]();
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

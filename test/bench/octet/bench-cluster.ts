// Nine processes, started as a user starts them, and asked over gRPC as a user asks.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type EventLoopDelay, EventLoopWatch } from "./event-loop-watch.ts";
import { GrpcGenerator } from "./grpc-generator.ts";

/** A process of the cluster, as `octet up --json` names it. */
export interface ClusterMember {
  /** "coordinator" or "expert 3". */
  readonly name: string;
  readonly pid: number;
  readonly address: string;
  readonly weightBytes: number;
}

interface UpReport {
  readonly address: string;
  readonly members: readonly ClusterMember[];
}

const octetMain = fileURLToPath(new URL("../../../packages/cli/src/main.ts", import.meta.url));
/** Of the coordinator's KV cache: enough for what is measured, so that its memory is compared. */
export const kvTokens = 16_384;

/** `octet up`, without a gateway. Computes only while it is asked. */
export class BenchCluster extends GrpcGenerator implements AsyncDisposable {
  readonly members: readonly ClusterMember[];
  readonly #up: ChildProcess;
  readonly #eventLoops: EventLoopWatch;
  /** The cluster ends with us, whatever happens. */
  readonly #onExit = () => this.#up.kill("SIGINT");

  private constructor(up: ChildProcess, report: UpReport, eventLoops: EventLoopWatch) {
    super(report.address);
    this.#up = up;
    this.members = report.members;
    this.#eventLoops = eventLoops;
    process.once("exit", this.#onExit);
  }

  /** @throws {Error} with what `octet up` said, if the cluster does not come up */
  static async start(shardsDir: string): Promise<BenchCluster> {
    const eventLoops = await EventLoopWatch.create();
    const env = { ...process.env, ...eventLoops.environment };
    const flags = ["--port", "0", "--no-http", "--json", "--no-verify"];
    const sizes = ["--kv-tokens", String(kvTokens), "--speculation", "off"];
    const args = [octetMain, "up", "--model", shardsDir, ...flags, ...sizes];
    const up = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    up.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    const ended = once(up, "close").then(() => {
      throw new Error(`octet up ended before it was ready:\n${said}`);
    });
    const ready = once(createInterface({ input: up.stdout }), "line");
    const [line] = await Promise.race([ready, ended]);
    ended.catch(() => {});
    return new BenchCluster(up, JSON.parse(String(line)) as UpReport, eventLoops);
  }

  get coordinator(): ClusterMember {
    return this.members.find(({ name }) => name === "coordinator")!;
  }

  get workers(): readonly ClusterMember[] {
    return this.members.filter(({ name }) => name !== "coordinator");
  }

  /** How late the coordinator's event loop came to its timers while `work` ran. */
  watchEventLoop(work: () => Promise<unknown>): Promise<EventLoopDelay> {
    return this.#eventLoops.watch(this.coordinator.pid, work);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off("exit", this.#onExit);
    this.close();
    if (this.#up.exitCode === null && this.#up.signalCode === null) {
      this.#up.kill("SIGINT");
      await once(this.#up, "close");
    }
    await this.#eventLoops[Symbol.asyncDispose]();
  }
}

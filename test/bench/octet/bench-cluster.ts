// Nine processes, started as a user starts them, and asked over gRPC as a user asks.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type ExpertUse, InferenceService } from "@octet/protocol";
import { createClient, type GrpcClient } from "@octet/protocol/grpc";
import type {
  DecodeRequest,
  DecodeResult,
  PrefillResult,
  TextGenerator,
} from "../harness/text-generator.ts";
import { type EventLoopDelay, EventLoopWatch } from "./event-loop-watch.ts";
import {
  type StreamTokens,
  timeAnswers,
  timeDecode,
  timePrefill,
} from "./generate-side-by-side.ts";
import { tokenStreamOf } from "./token-stream.ts";

/** A process of the cluster, as `octet up --json` names it. */
export interface ClusterMember {
  /** "coordinator" or "expert 3". */
  readonly name: string;
  readonly pid: number;
  readonly address: string;
  readonly weightBytes: number;
}

/** Where a call's time went, by the worker's clock, in µs; means over the calls of one answer. */
export interface MeanCall {
  readonly queuedUs: number;
  readonly computedUs: number;
}

interface UpReport {
  readonly address: string;
  readonly members: readonly ClusterMember[];
}

const octetMain = fileURLToPath(new URL("../../../packages/cli/src/main.ts", import.meta.url));
/** Of the coordinator's KV cache: enough for what is measured, so that its memory is compared. */
export const kvTokens = 16_384;

/** `octet up`, without a gateway. Computes only while it is asked. */
export class BenchCluster implements TextGenerator, AsyncDisposable {
  readonly members: readonly ClusterMember[];
  readonly #up: ChildProcess;
  readonly #client: GrpcClient<typeof InferenceService>;
  readonly #stream: StreamTokens;
  readonly #eventLoops: EventLoopWatch;
  #lastUse: readonly ExpertUse[] = [];
  #lastCachedTokens = 0;
  /** The cluster ends with us, whatever happens. */
  readonly #onExit = () => this.#up.kill("SIGINT");

  private constructor(up: ChildProcess, report: UpReport, eventLoops: EventLoopWatch) {
    this.#up = up;
    this.members = report.members;
    this.#client = createClient(InferenceService, report.address);
    this.#stream = tokenStreamOf(this.#client, ({ experts, cachedPromptTokens }) => {
      this.#lastUse = experts;
      this.#lastCachedTokens = cachedPromptTokens;
    });
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

  async prefill(promptTokenIds: readonly number[]): Promise<PrefillResult> {
    const result = await timePrefill(this.#stream, promptTokenIds);
    assert.equal(this.#lastCachedTokens, 0, "the whole prompt is computed");
    return result;
  }

  decode(request: DecodeRequest): Promise<DecodeResult> {
    return timeDecode(this.#stream, request);
  }

  /** As many streams at once as there are prompts; from the first call to the last token. */
  serve(request: DecodeRequest): Promise<DecodeResult> {
    return timeAnswers(this.#stream, request);
  }

  /** A prefill that may find its prompt computed, and leaves it for others to find. */
  async prefillRemembering(
    promptTokenIds: readonly number[],
  ): Promise<PrefillResult & { readonly cachedTokens: number }> {
    const result = await timePrefill(this.#stream, promptTokenIds, { prefixCache: true });
    return { ...result, cachedTokens: this.#lastCachedTokens };
  }

  /** Of the answer that ended last; its prompt's calls are among them. */
  get meanCall(): MeanCall {
    const sum = (pick: (use: ExpertUse) => bigint) =>
      this.#lastUse.reduce((total, use) => total + Number(pick(use)), 0);
    const calls = sum((use) => use.calls);
    return {
      queuedUs: sum((use) => use.queuedUs) / calls,
      computedUs: sum((use) => use.computedUs) / calls,
    };
  }

  /** How late the coordinator's event loop came to its timers while `work` ran. */
  watchEventLoop(work: () => Promise<unknown>): Promise<EventLoopDelay> {
    return this.#eventLoops.watch(this.coordinator.pid, work);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off("exit", this.#onExit);
    this.#client.close();
    if (this.#up.exitCode === null && this.#up.signalCode === null) {
      this.#up.kill("SIGINT");
      await once(this.#up, "close");
    }
    await this.#eventLoops[Symbol.asyncDispose]();
  }
}

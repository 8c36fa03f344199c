// How the cluster is now, for operators: read when somebody asks, and again while somebody watches.
import { setTimeout as sleep } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { GrpcExpertClient } from "@octet/cluster";
import type { EngineLoad } from "@octet/engine";
import type { ClusterStateSchema, WorkerStateSchema } from "@octet/protocol";
import { RequestError } from "./request-error.ts";

/** A state as it is sent; the feed counts its version. */
export type UnversionedState = Omit<
  Exclude<MessageInitShape<typeof ClusterStateSchema>, { $typeName: string }>,
  "version"
>;

/** Least time between two states that a watcher is sent, in ms. */
const stateIntervalMs = 250;
/** Most that may watch at a time. */
const watchersMax = 64;

/** Numbers the states that it is given, and hands them to those who watch. */
export class ClusterStateFeed {
  readonly #read: () => UnversionedState;
  readonly #closed = new AbortController();
  #version = 0n;
  #lastSeen = "";
  #watchers = 0;

  /** @param read how it is now; called for each question, and for each watcher each interval */
  constructor(read: () => UnversionedState) {
    this.#read = read;
  }

  /** How it is now. The version is another exactly if anything is. */
  now(): UnversionedState & { readonly version: bigint } {
    const state = this.#read();
    const seen = JSON.stringify(state, (_name, value) =>
      typeof value === "bigint" ? value.toString() : value,
    );
    if (seen !== this.#lastSeen) {
      this.#lastSeen = seen;
      this.#version += 1n;
    }
    return { ...state, version: this.#version };
  }

  /**
   * The state at once, and then whenever it has changed, until `signal` is aborted. Nothing is kept
   * for who comes late to `next()`: what they get is how it is then.
   *
   * @throws {RequestError} "overloaded" if too many watch; "unavailable" once it is closed
   */
  async *watch(signal: AbortSignal): AsyncGenerator<ReturnType<ClusterStateFeed["now"]>, void> {
    if (this.#watchers >= watchersMax) {
      const detail = `expected at most ${watchersMax} to watch at a time; ask again later`;
      throw new RequestError("overloaded", detail, { metadata: { limit: `${watchersMax}` } });
    }
    this.#watchers += 1;
    try {
      const ended = AbortSignal.any([signal, this.#closed.signal]);
      let sent = 0n;
      for (;;) {
        const state = this.now();
        if (state.version !== sent) yield state;
        sent = state.version;
        await sleep(stateIntervalMs, undefined, { signal: ended });
      }
    } catch (error) {
      if (!this.#closed.signal.aborted) throw error;
      throw new RequestError("unavailable", "the coordinator is shutting down", { cause: error });
    } finally {
      this.#watchers -= 1;
    }
  }

  /** Ends every watch. */
  close(): void {
    this.#closed.abort();
  }
}

/** What a state is read from. */
export interface ClusterFacts {
  readonly model: string;
  readonly ready: boolean;
  readonly workers: ReturnType<GrpcExpertClient["workers"]>;
  readonly load: EngineLoad;
  /** Tokens of one KV block. */
  readonly blockTokens: number;
}

/** The facts as the API says them. */
export function toClusterState(facts: ClusterFacts): UnversionedState {
  const { model, ready, workers, load, blockTokens } = facts;
  return {
    model,
    ready,
    workers: workers.map(toWorkerState),
    kvCache: {
      blockTokens,
      blocksTotal: load.numBlocks,
      blocksFree: load.freeBlocks,
      blocksCached: load.cachedBlocks,
      prefixQueriesTokens: BigInt(load.prefix.queriesTokens),
      prefixHitsTokens: BigInt(load.prefix.hitsTokens),
    },
    scheduler: {
      running: load.activeSequences,
      waiting: load.queuedSequences,
      preemptions: BigInt(load.preemptions),
      draftTokens: BigInt(load.drafts.numDrafts),
      acceptedDraftTokens: BigInt(load.drafts.numAccepted),
      steps: BigInt(load.steps),
      halvedSteps: BigInt(load.halvedSteps),
    },
  };
}

function toWorkerState(
  worker: ClusterFacts["workers"][number],
): MessageInitShape<typeof WorkerStateSchema> {
  const { workerId, address, expertIds, state, lastError, description } = worker;
  return {
    workerId: workerId ?? "",
    address,
    engineKind: description?.engineKind ?? "",
    expertIds: [...expertIds],
    connected: state === "ready",
    device: description?.device ?? "",
    weightBytes: BigInt(description?.weightBytes ?? 0),
    residentBytes: BigInt(description?.residentBytes ?? 0),
    lastError: lastError ?? "",
  };
}

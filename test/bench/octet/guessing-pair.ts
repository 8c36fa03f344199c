// Two coordinators over one cluster's workers, alike but that one guesses next tokens.
import { readShardSet } from "@octet/checkpoint";
import { InferenceService } from "@octet/protocol";
import { createClient } from "@octet/protocol/grpc";
import { startCoordinator } from "../../cluster/service-cluster.ts";
import { startDelayedLinks } from "../../network/delayed-links.ts";
import type { DecodeRequest, DecodeResult } from "../harness/text-generator.ts";
import { type BenchCluster, kvTokens } from "./bench-cluster.ts";
import { timeAnswers } from "./generate-side-by-side.ts";
import { type Sampling, tokenStreamOf } from "./token-stream.ts";

/** Where the workers are, and how far. */
export interface GuessingPairOptions {
  readonly cluster: BenchCluster;
  readonly shardsDir: string;
  /** Compute threads of each coordinator; one computes at a time. */
  readonly threads: number;
  /** Between a coordinator and each worker, each way; undefined is no link of ours. */
  readonly delayMs: number | undefined;
}

/** Guessed tokens that were checked, and those of them that were right. */
export interface DraftCounts {
  readonly drafts: number;
  readonly accepted: number;
}

/** Serves the same requests either way. Computes only while it is asked. */
export interface GuessingPair extends AsyncDisposable {
  serve(way: "auto" | "off", request: DecodeRequest, sampling: Sampling): Promise<DecodeResult>;
  /** Of the one that guesses, since its start. */
  draftCounts(): Promise<DraftCounts>;
}

/** Starts both, with links of their own if there are any. */
export async function startGuessingPair(options: GuessingPairOptions): Promise<GuessingPair> {
  const { cluster, shardsDir, threads, delayMs } = options;
  await using started = new AsyncDisposableStack();
  const near = cluster.workers.map(({ address }) => address);
  const links = delayMs === undefined ? undefined : await startDelayedLinks(near, delayMs);
  if (links !== undefined) started.use(links);
  const placement = (links?.addresses ?? near).map((at, expert) => `${expert}=${at}`).join(",");
  const index = await readShardSet(shardsDir);
  const start = async (way: "auto" | "off") => {
    const settings = {
      OCTET_SPECULATION: way,
      OCTET_THREADS: String(threads),
      OCTET_KV_TOKENS: String(kvTokens),
      OCTET_VERIFY: "false",
    };
    const coordinator = started.use(await startCoordinator(index, placement, settings));
    const client = createClient(InferenceService, coordinator.address);
    started.defer(() => client.close());
    return client;
  };
  const clients = { auto: await start("auto"), off: await start("off") };
  const kept = started.move();
  return {
    serve: (way, request, sampling) =>
      timeAnswers(
        tokenStreamOf(clients[way], () => {}, sampling),
        request,
      ),
    draftCounts: async () => {
      const { state } = await clients.auto.getClusterState({}, { deadlineMs: 10_000 });
      const { draftTokens = 0n, acceptedDraftTokens = 0n } = state?.scheduler ?? {};
      return { drafts: Number(draftTokens), accepted: Number(acceptedDraftTokens) };
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

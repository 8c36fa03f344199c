// ExpertService over one engine: what a worker answers to every coordinator that calls.
import { setTimeout as sleep } from "node:timers/promises";
import { activationBytesMax, callsInFlightMax, rowsPerCallMax } from "@octet/core";
import type { ExpertEngine } from "@octet/kernels";
import {
  ExpertService,
  type LeanMethods,
  leanStreamMethod,
  leanUnaryMethod,
  pathOf,
  type StreamHandler,
} from "@octet/protocol";
import type { Handlers } from "@octet/protocol/grpc";
import type { GrpcModule, OpenedServer } from "@octet/service";
import type { Logger } from "@octet/telemetry";
import { type CallObserver, CallRunner } from "./call-runner.ts";
import { ForwardStream, type ForwardStreamContext } from "./forward-stream.ts";

/** What an expert service is made of. */
export interface ExpertServiceOptions {
  /** The caller opened it and closes it, after {@link ServedExperts.drain}. */
  readonly engine: ExpertEngine;
  readonly workerId: string;
  /** Differs after every start of the process. */
  readonly startId: string;
  readonly modelDigest: string;
  readonly log: Logger;
  readonly observer?: CallObserver | undefined;
  /** Whether small calls are answered by the engine's fast path, where it has one. Default: true. */
  readonly useFastPath?: boolean | undefined;
  /** Default: core's limits. */
  readonly callsInFlightMax?: number;
  readonly rowsPerCallMax?: number;
  /** Monotonic, for tests. Default: performance.now. */
  readonly nowMs?: () => number;
}

/** A service to register, and how to end it. */
export interface ServedExperts {
  /** For grpc-js, and so for every client. */
  makeHandlers(grpc: GrpcModule): Handlers<typeof ExpertService>;
  /** The same for lean connections. */
  readonly leanMethods: LeanMethods;
  /** Has the observer hear of what the fast path answered. */
  countAnswered(): void;
  /**
   * Goes on answering until no call has come for a moment or `drainMs` has passed, then ends every
   * stream with UNAVAILABLE; new streams end so at once. Called once.
   */
  drain(drainMs: number): Promise<void>;
}

type Method = typeof ExpertService.method;

/** Input bytes that one stream may have waiting: the largest call, and the next behind it. */
const queuedBytesMax = 2 * activationBytesMax;

/** Between two layers of a busy coordinator no call is in flight for at most about this long. */
const quietBeforeEndMs = 200;
const drainPollMs = 20;

/** Serves `engine`. Calls from all streams share its one queue. */
export function createExpertService(options: ExpertServiceOptions): ServedExperts {
  const { engine, log, observer, nowMs = () => performance.now() } = options;
  const countAnswered = () => {
    for (const call of engine.fastPath?.takeAnswered() ?? []) observer?.onSettled(call);
  };
  const rowsMax = options.rowsPerCallMax ?? rowsPerCallMax;
  const isWanted = options.useFastPath ?? true;
  // It would answer calls that are refused here.
  const isTooWide = (engine.fastPath?.rowsMax ?? 0) > rowsMax;
  let fastPath = isWanted && !isTooWide ? engine.fastPath : undefined;
  const context: ForwardStreamContext = {
    engine,
    runner: new CallRunner({ engine, rowsMax, nowMs, log, observer }),
    nowMs,
    callsInFlightMax: options.callsInFlightMax ?? callsInFlightMax,
    rowsPerCallMax: rowsMax,
    queuedBytesMax,
    fastPath: () => fastPath,
    onLoanEnd: countAnswered,
  };
  const streams = new Set<ForwardStream>();
  /** Why streams are not served now. */
  let refusal: string | undefined;
  const refuseStreams = (why: string) => {
    refusal = why;
    for (const stream of streams) stream.fail("unavailable", why);
  };

  const forward: StreamHandler<Method["forward"]["input"], Method["forward"]["output"]> = (
    call,
  ) => {
    const stream = new ForwardStream(call, context);
    if (refusal !== undefined) {
      stream.fail("unavailable", refusal);
      return stream;
    }
    const { peer } = call;
    log.info("coordinator connected", { peer });
    streams.add(stream);
    void stream.closed.then(() => {
      streams.delete(stream);
      log.info("coordinator gone", { peer });
    });
    return stream;
  };
  const { method } = ExpertService;

  return {
    makeHandlers: (grpc) => ({
      forward: grpc.toBidiHandler(forward),
      describe: (_call, callback) => callback(null, describe(options)),
    }),
    leanMethods: new Map([
      [pathOf(method.forward), leanStreamMethod(method.forward, forward)],
      [pathOf(method.describe), leanUnaryMethod(method.describe, () => describe(options))],
    ]),
    countAnswered,
    async drain(drainMs) {
      fastPath = undefined; // from here on calls are waited for
      for (const stream of streams) stream.askBack();
      await untilQuiet(streams, drainMs);
      const ended = Array.from(streams, (stream) => stream.closed);
      refuseStreams(`worker ${options.workerId} is shutting down`);
      await Promise.all(ended);
    },
  };
}

/** Has a server answer for the experts, to clients of ours and to all others. */
export function registerExperts(
  { plain, leanMethods }: Pick<OpenedServer, "plain" | "leanMethods">,
  served: ServedExperts,
): void {
  plain.serve(ExpertService, served.makeHandlers);
  for (const [path, method] of served.leanMethods) leanMethods.set(path, method);
}

async function untilQuiet(streams: ReadonlySet<ForwardStream>, drainMs: number): Promise<void> {
  const endAtMs = performance.now() + drainMs;
  let quietSinceMs = performance.now();
  while (streams.size > 0 && performance.now() < endAtMs) {
    const isBusy = Array.from(streams).some((stream) => stream.isBusy);
    if (isBusy) quietSinceMs = performance.now();
    else if (performance.now() - quietSinceMs >= quietBeforeEndMs) return;
    await sleep(drainPollMs);
  }
}

function describe({ engine, workerId, startId, modelDigest }: ExpertServiceOptions) {
  const { model } = engine;
  return {
    workerId,
    startId,
    expertIds: [...engine.expertIds],
    numLayers: model.numLayers,
    numExperts: model.numExperts,
    hiddenSize: model.hiddenSize,
    intermediateSize: model.intermediateSize,
    weightDtype: engine.weightDtype,
    engineKind: engine.kind,
    device: engine.device,
    weightBytes: BigInt(engine.weightBytes),
    residentBytes: BigInt(process.memoryUsage.rss()),
    modelDigest,
  };
}

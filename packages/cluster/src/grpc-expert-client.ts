// Experts in other processes, over one gRPC stream for each worker.
import type { ExpertId } from "@octet/core";
import type { ExpertClient } from "@octet/engine";
import type { Logger } from "@octet/telemetry";
import { PendingCall } from "./pending-call.ts";
import { findQuestionProblem } from "./question-check.ts";
import { type ConnectionTimes, WorkerConnection, type WorkerStatus } from "./worker-connection.ts";
import type { ExpectedWorkers, PlacedWorker } from "./worker-description.ts";

/** What a client of expert-workers is made with. */
export interface GrpcExpertClientOptions {
  /** Where each of the model's experts is: every one exactly once. */
  readonly placement: readonly PlacedWorker[];
  readonly expected: ExpectedWorkers;
  readonly log: Logger;
  /** Over the defaults: one attempt 5 s, calls wait 2 s, pauses from 50 ms to 2 s. */
  readonly times?: Partial<ConnectionTimes>;
}

/** An ExpertClient that also tells how its workers are. */
export interface GrpcExpertClient extends ExpertClient {
  /** Every worker of the placement, in its order. */
  workers(): readonly WorkerStatus[];
  /**
   * Calls `listener` after every change of any worker.
   *
   * @returns a function that ends it
   */
  watchWorkers(listener: (workers: readonly WorkerStatus[]) => void): () => void;
}

const defaultTimes: ConnectionTimes = {
  openTimeoutMs: 5_000,
  connectWaitMs: 2_000,
  retryMinMs: 50,
  retryMaxMs: 2_000,
};

/**
 * Connects to every worker at once and keeps them connected.
 *
 * @throws {RangeError} if an expert of the model is placed nowhere, twice, or does not exist
 */
export function createGrpcExpertClient(options: GrpcExpertClientOptions): GrpcExpertClient {
  const { placement, expected, log } = options;
  checkPlacement(placement, expected.numExperts);
  const listeners = new Set<(workers: readonly WorkerStatus[]) => void>();
  const times = { ...defaultTimes, ...options.times };
  const connections = placement.map(
    (placed) => new WorkerConnection({ placed, expected, times, log, onChange }),
  );
  const byExpert = new Map<ExpertId, WorkerConnection>(
    placement.flatMap(({ expertIds }, i) => expertIds.map((id) => [id, connections[i]!] as const)),
  );
  const workers = () => connections.map((connection) => connection.status);

  function onChange(): void {
    if (listeners.size === 0) return;
    const now = workers();
    for (const listener of listeners) listener(now);
  }

  return {
    forward(question, bounds) {
      const call = new PendingCall(question, bounds);
      const connection = byExpert.get(question.expertId);
      const problem = findQuestionProblem(question, expected);
      if (connection === undefined) call.reject("not-held", "no worker is placed to hold it");
      else if (problem !== undefined) call.reject(problem.code, problem.detail);
      else if (!call.isSettled) connection.forward(call);
      return call.reply;
    },
    async close() {
      await Promise.all(connections.map((connection) => connection.close()));
    },
    workers,
    watchWorkers(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function checkPlacement(placement: readonly PlacedWorker[], numExperts: number): void {
  const addressOf = new Map<number, string>();
  for (const { address, expertIds } of placement) {
    for (const id of expertIds) {
      const other = addressOf.get(id);
      if (id >= numExperts) throw new RangeError(`${address}: expert ${id} of ${numExperts}`);
      if (other !== undefined)
        throw new RangeError(`expert ${id} is at ${other} and at ${address}`);
      addressOf.set(id, address);
    }
  }
  const missing = Array.from({ length: numExperts }, (_, id) => id).filter(
    (id) => !addressOf.has(id),
  );
  if (missing.length === 0) return;
  throw new RangeError(`no worker is placed for expert ${missing.join(", ")} of ${numExperts}`);
}

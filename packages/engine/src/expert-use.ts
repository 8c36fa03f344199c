// Who answered for each expert of one sequence.
import type { ExpertId } from "@octet/core";
import type { ExpertReply } from "./expert-client.ts";

/** One worker's part in one sequence, for one expert. */
export interface ExpertUse {
  readonly expertId: ExpertId;
  readonly workerId: string;
  /** "in-process" or "host:port". */
  readonly address: string;
  /** Answered calls that carried rows of this sequence, perhaps beside others'. */
  readonly calls: number;
  /** Rows of this sequence in them. */
  readonly rows: number;
  /** Sums over the calls, by the worker's clock; a call counts whole for each sequence in it. */
  readonly queuedUs: number;
  readonly computedUs: number;
}

/** Adds up replies. Calls of a step that had to be run again count each time. */
export class ExpertUseLog {
  readonly #uses = new Map<string, ExpertUse>();

  add(expertId: ExpertId, reply: ExpertReply, rows: number): void {
    const { workerId, address } = reply;
    const key = JSON.stringify([expertId, workerId, address]);
    const use = this.#uses.get(key);
    this.#uses.set(key, {
      expertId,
      workerId,
      address,
      calls: (use?.calls ?? 0) + 1,
      rows: (use?.rows ?? 0) + rows,
      queuedUs: (use?.queuedUs ?? 0) + reply.queuedUs,
      computedUs: (use?.computedUs ?? 0) + reply.computedUs,
    });
  }

  /** In ascending expert id, then in the order in which the workers first answered. */
  toList(): ExpertUse[] {
    return [...this.#uses.values()].sort((a, b) => a.expertId - b.expertId);
  }
}

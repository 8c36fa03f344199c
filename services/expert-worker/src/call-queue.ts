// Which calls to compute next. Pure: no clock, no stream, no engine.
import { type ExpertId, numExpertsMax } from "@octet/core";

/** What the queue must know of a call. */
export interface Queueable {
  readonly layer: number;
  readonly expertId: ExpertId;
  readonly input: { readonly rows: number };
  /** On the caller's clock; from then on nobody waits for the answer. */
  readonly expiresAtMs: number;
}

/** What {@link CallQueue.take} hands out. */
export interface Taken<Call> {
  /** Calls for one expert of one layer, in the order they came; empty if none waits. */
  readonly batch: readonly Call[];
  /** Calls whose time ran out while they waited. */
  readonly late: readonly Call[];
}

/**
 * Calls that wait, grouped by (layer, expert) so that one computation answers a whole group. Groups
 * take turns in the order of their first call; one that is too large for a turn goes to the back.
 */
export class CallQueue<Call extends Queueable> {
  readonly #groups = new Map<number, Set<Call>>();
  #size = 0;

  /** Calls that wait. */
  get size(): number {
    return this.#size;
  }

  add(call: Call): void {
    const key = groupKey(call);
    const group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, new Set([call]));
    else group.add(call);
    this.#size++;
  }

  /** Whether the call was waiting, and no longer is. */
  remove(call: Call): boolean {
    const key = groupKey(call);
    const group = this.#groups.get(key);
    if (group === undefined || !group.delete(call)) return false;
    if (group.size === 0) this.#groups.delete(key);
    this.#size--;
    return true;
  }

  /**
   * Takes the next group's calls, together at most `rowsMax` rows; a call is never split, and a
   * single one with more rows is taken alone.
   */
  take(limits: { nowMs: number; rowsMax: number }): Taken<Call> {
    const batch: Call[] = [];
    const late: Call[] = [];
    let rows = 0;
    for (const [key, group] of this.#groups) {
      for (const call of group) {
        const isLate = call.expiresAtMs <= limits.nowMs;
        if (!isLate && rows > 0 && rows + call.input.rows > limits.rowsMax) break;
        group.delete(call);
        this.#size--;
        if (isLate) {
          late.push(call);
        } else {
          rows += call.input.rows;
          batch.push(call);
        }
      }
      this.#groups.delete(key);
      if (group.size > 0) this.#groups.set(key, group);
      if (batch.length > 0) break;
    }
    return { batch, late };
  }
}

function groupKey(call: Queueable): number {
  return call.layer * numExpertsMax + call.expertId;
}

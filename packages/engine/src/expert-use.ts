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

/**
 * Adds up replies, once it is known which rows of a step were the sequence's own and which only
 * guessed. Calls of a step that had to be run again count each time.
 */
export class ExpertUseLog {
  /** Few have answered for an expert: one, or its replacements too. */
  readonly #byExpert = new Map<ExpertId, Sum[]>();
  readonly #unsettled: UnsettledReply[] = [];

  /** @param rows of the sequence's in the step, those in the call */
  add(expertId: ExpertId, reply: ExpertReply, rows: readonly number[]): void {
    const { workerId, address, queuedUs, computedUs } = reply;
    this.#unsettled.push({ expertId, workerId, address, queuedUs, computedUs, rows });
  }

  /** Of the replies added since the last time, the first `numRows` rows count; others never were. */
  settle(numRows: number): void {
    for (const { rows, ...reply } of this.#unsettled.splice(0)) {
      const numOwn = rows.filter((row) => row < numRows).length;
      if (numOwn === 0) continue;
      const sum = this.#sumOf(reply);
      sum.calls += 1;
      sum.rows += numOwn;
      sum.queuedUs += reply.queuedUs;
      sum.computedUs += reply.computedUs;
    }
  }

  /** In ascending expert id, then in the order in which the workers first answered. */
  toList(): ExpertUse[] {
    const uses = Array.from(this.#byExpert.values(), (sums) => sums.map((sum) => ({ ...sum })));
    return uses.flat().sort((a, b) => a.expertId - b.expertId);
  }

  #sumOf({ expertId, workerId, address }: Omit<UnsettledReply, "rows">): Sum {
    const sums = this.#byExpert.get(expertId) ?? [];
    const known = sums.find((each) => each.workerId === workerId && each.address === address);
    if (known !== undefined) return known;
    const sum = { expertId, workerId, address, calls: 0, rows: 0, queuedUs: 0, computedUs: 0 };
    this.#byExpert.set(expertId, [...sums, sum]);
    return sum;
  }
}

interface UnsettledReply extends Omit<ExpertUse, "calls" | "rows"> {
  readonly rows: readonly number[];
}

type Sum = { -readonly [Name in keyof ExpertUse]: ExpertUse[Name] };

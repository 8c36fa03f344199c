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
  /** Few have answered for an expert: one, or its replacements too. */
  readonly #byExpert = new Map<ExpertId, Sum[]>();

  add(expertId: ExpertId, reply: ExpertReply, rows: number): void {
    const sum = this.#sumOf(expertId, reply);
    sum.calls += 1;
    sum.rows += rows;
    sum.queuedUs += reply.queuedUs;
    sum.computedUs += reply.computedUs;
  }

  /** In ascending expert id, then in the order in which the workers first answered. */
  toList(): ExpertUse[] {
    const uses = Array.from(this.#byExpert.values(), (sums) => sums.map((sum) => ({ ...sum })));
    return uses.flat().sort((a, b) => a.expertId - b.expertId);
  }

  #sumOf(expertId: ExpertId, { workerId, address }: ExpertReply): Sum {
    const sums = this.#byExpert.get(expertId) ?? [];
    const known = sums.find((each) => each.workerId === workerId && each.address === address);
    if (known !== undefined) return known;
    const sum = { expertId, workerId, address, calls: 0, rows: 0, queuedUs: 0, computedUs: 0 };
    this.#byExpert.set(expertId, [...sums, sum]);
    return sum;
  }
}

type Sum = { -readonly [Name in keyof ExpertUse]: ExpertUse[Name] };

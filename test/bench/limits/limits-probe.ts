// Asks the machine what it can do at most, right beside what is measured.
import { LineChild } from "../harness/line-child.ts";
import { buildLimits } from "./build-limits.ts";

/** What {@link LimitsProbe} can measure, and what limits.cpp calls it. */
const questions = {
  "read-bandwidth": "read-mapped",
  "read-bandwidth-anonymous": "read-anonymous",
  "int8-peak": "int8",
  "bf16-peak": "bf16",
  "f32-peak": "f32",
} as const;

/** One limit of the machine. */
export type LimitName = keyof typeof questions;

/** A limit as it was just now. */
export interface Limit {
  /** Bytes or operations a second, of all threads together. */
  readonly perSecond: number;
  /** What it was reached with: "avx512-vpdpbusd". */
  readonly instruction: string;
}

/** A process that measures limits on demand, a tenth of a second each; idle between. */
export class LimitsProbe implements AsyncDisposable {
  readonly #child: LineChild;

  private constructor(child: LineChild) {
    this.#child = child;
  }

  /**
   * @param buildFolder where the program is built
   * @param files what read-bandwidth reads, mapped; together much larger than any cache
   */
  static async start(options: {
    readonly buildFolder: string;
    readonly threads: number;
    readonly files: readonly string[];
  }): Promise<LimitsProbe> {
    const command = await buildLimits(options.buildFolder);
    const args = [String(options.threads), ...options.files];
    return new LimitsProbe(new LineChild({ name: "limits", command, args }));
  }

  async measure(name: LimitName): Promise<Limit> {
    const answer = await this.#child.ask(questions[name]);
    const [perSecond, , instruction] = answer.split(" ");
    return { perSecond: Number(perSecond), instruction: instruction! };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}

// Compiles what callers ask for, and follows their answers, in threads that may break.
import { createHash } from "node:crypto";
import type { TokenConstraint, TokenMask } from "@octet/engine";
import type { TokenBytes } from "@octet/tokenizer";
import { ConstraintError } from "./constraint-error.ts";
import { type ConstraintLimits, defaultConstraintLimits } from "./constraint-limits.ts";
import type { ConstraintSpec } from "./constraint-spec.ts";
import { ThreadHandle } from "./thread/thread-handle.ts";
import type { ThreadSettings } from "./thread/thread-messages.ts";

/** What is needed of the model. */
export interface ConstraintsOptions {
  /** A Tokenizer is one. */
  readonly tokenizer: { tokenBytes(id: number): TokenBytes | undefined };
  /** V: the width of the logits, padding included. */
  readonly vocabSize: number;
  /** The tokens that end an answer. */
  readonly stopTokenIds: readonly number[];
  readonly limits?: Partial<ConstraintLimits> | undefined;
}

/** A constraint that compiles. */
export interface CheckedConstraint {
  /**
   * Follows one answer. The mask is the answer's text exactly as its stream decoder gives it.
   *
   * @param options continuesText: as the answer's stream decoder was told
   */
  open(options: { readonly continuesText: boolean }): TokenConstraint;
}

/** Checks constraints and follows answers. Threads start when the first is asked for. */
export interface Constraints {
  /**
   * @throws {ConstraintError} "invalid-grammar" with the reason, or the limit that was exceeded;
   *   "overloaded"; "failed" if another's grammar broke the thread meanwhile
   */
  check(spec: ConstraintSpec): Promise<CheckedConstraint>;
  close(): Promise<void>;
}

/** Verdicts that are remembered, good and bad; each is a digest and at most a reason. */
const verdictsMax = 1024;

/** Constraints for one model. */
export function createConstraints(options: ConstraintsOptions): Constraints {
  return new ThreadedConstraints(options);
}

class ThreadedConstraints implements Constraints {
  readonly #limits: ConstraintLimits;
  readonly #options: ConstraintsOptions;
  #settings: ThreadSettings | undefined;
  /** Tries grammars before any answer depends on them. */
  #trial: ThreadHandle | undefined;
  readonly #threads: ThreadHandle[] = [];
  /** By digest: why it is bad, or undefined. In order of use. */
  readonly #verdicts = new Map<string, string | undefined>();
  readonly #underway = new Map<string, Promise<void>>();
  #nextMatcherId = 0;
  #isClosed = false;

  constructor(options: ConstraintsOptions) {
    this.#options = options;
    this.#limits = { ...defaultConstraintLimits, ...options.limits };
  }

  async check(spec: ConstraintSpec): Promise<CheckedConstraint> {
    const text = JSON.stringify(spec);
    const bytes = Buffer.byteLength(text);
    if (bytes > this.#limits.specBytesMax) {
      const limit = `specBytesMax is ${this.#limits.specBytesMax}`;
      throw new ConstraintError("invalid-grammar", `it has ${bytes} bytes; ${limit}`);
    }
    const digest = createHash("sha256").update(text).digest("base64");
    await this.#try(digest, spec);
    return { open: ({ continuesText }) => this.#open({ digest, spec, continuesText }) };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#trial, ...this.#threads].map((thread) => thread?.close()));
  }

  async #try(digest: string, spec: ConstraintSpec): Promise<void> {
    if (!this.#verdicts.has(digest)) await this.#compile(digest, spec);
    const reason = this.#verdicts.get(digest);
    if (reason !== undefined) throw new ConstraintError("invalid-grammar", reason);
  }

  /** Callers with the same grammar wait for the same trial. */
  async #compile(digest: string, spec: ConstraintSpec): Promise<void> {
    let trial = this.#underway.get(digest);
    if (trial === undefined) {
      if (this.#underway.size >= this.#limits.compileQueueMax) {
        const detail = `${this.#limits.compileQueueMax} constraints wait to be compiled already`;
        throw new ConstraintError("overloaded", `${detail} (compileQueueMax); try again`);
      }
      trial = this.#runTrial(digest, spec).finally(() => this.#underway.delete(digest));
      this.#underway.set(digest, trial);
    }
    await trial;
  }

  async #runTrial(digest: string, spec: ConstraintSpec): Promise<void> {
    for (;;) {
      this.#trial ??= this.#startThread(() => {
        this.#trial = undefined;
      });
      const thread = this.#trial;
      try {
        await thread.run({ kind: "compile", digest, spec }, this.#compileLimit);
        this.#remember(digest, undefined);
        return;
      } catch (error) {
        if (!(error instanceof ConstraintError)) throw error;
        // It waited behind one that broke the thread.
        if (error.code === "failed" && thread !== this.#trial && !this.#isClosed) continue;
        // A limit of time is not a fact about the grammar: the machine may have been busy.
        const isFact = error.code === "invalid-grammar" && !error.message.includes("compileMs");
        if (!isFact) throw error;
        this.#remember(digest, error.message);
        return;
      }
    }
  }

  get #compileLimit(): { name: string; ms: number } {
    return { name: "compileMs", ms: this.#limits.compileMs };
  }

  #remember(digest: string, reason: string | undefined): void {
    this.#verdicts.set(digest, reason);
    const oldest = this.#verdicts.keys().next().value;
    if (this.#verdicts.size > verdictsMax && oldest !== undefined) this.#verdicts.delete(oldest);
  }

  #open(request: {
    digest: string;
    spec: ConstraintSpec;
    continuesText: boolean;
  }): TokenConstraint {
    const thread = this.#pickThread();
    thread.numMatchers += 1;
    const matcherId = this.#nextMatcherId++;
    const words = Math.ceil(this.#options.vocabSize / 32);
    const mask = new SharedArrayBuffer(words * 4);
    const opened = thread.run({ kind: "open", ...request, matcherId, mask }, this.#compileLimit);
    opened.catch(() => undefined); // the first mask says so
    const bits = new Uint32Array(mask);
    const maskLimit = { name: "maskMs", ms: this.#limits.maskMs };
    let isClosed = false;
    return {
      advance: async (tokenId): Promise<TokenMask> => {
        if (tokenId === undefined) await opened;
        const request = { kind: "advance", matcherId, tokenId } as const;
        return { bits, isComplete: await thread.run(request, maskLimit) };
      },
      close: () => {
        if (isClosed) return;
        isClosed = true;
        thread.closeMatcher(matcherId);
      },
    };
  }

  /** The one with the fewest answers, or a new one while there may be more. */
  #pickThread(): ThreadHandle {
    const [quietest] = this.#threads.toSorted((a, b) => a.numMatchers - b.numMatchers);
    const mayStart = this.#threads.length < this.#limits.numThreads;
    if (quietest !== undefined && (quietest.numMatchers === 0 || !mayStart)) return quietest;
    const thread = this.#startThread(() => {
      this.#threads.splice(this.#threads.indexOf(thread), 1);
    });
    this.#threads.push(thread);
    return thread;
  }

  #startThread(onEnded: () => void): ThreadHandle {
    this.#settings ??= toSettings(this.#options, this.#limits);
    return new ThreadHandle(this.#settings, onEnded);
  }
}

function toSettings(options: ConstraintsOptions, limits: ConstraintLimits): ThreadSettings {
  const { tokenizer, vocabSize } = options;
  const stopTokenIds = options.stopTokenIds.filter((id) => id < vocabSize);
  const ends = new Uint32Array(vocabSize);
  const takesPrefix = new Uint8Array(vocabSize);
  const pieces: Uint8Array[] = [];
  let end = 0;
  for (let id = 0; id < vocabSize; id++) {
    const spelled = stopTokenIds.includes(id) ? undefined : tokenizer.tokenBytes(id);
    if (spelled !== undefined) {
      pieces.push(spelled.bytes);
      end += spelled.bytes.length;
      takesPrefix[id] = spelled.takesPrefix ? 1 : 0;
    }
    ends[id] = end;
  }
  const { grammarBytesMax, threadBytesMax, cachedGrammarsMax, cachedGrammarBytesMax } = limits;
  const bounds = { grammarBytesMax, threadBytesMax, cachedGrammarsMax, cachedGrammarBytesMax };
  return { vocabSize, stopTokenIds, bytes: Buffer.concat(pieces), ends, takesPrefix, ...bounds };
}

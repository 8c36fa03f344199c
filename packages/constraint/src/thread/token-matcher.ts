// Follows one answer through its grammar.
import type { GrammarMatcher } from "@mlc-ai/web-xgrammar";
import { GrammarProblem } from "../grammar/grammar-problem.ts";
import type { ThreadSettings } from "./thread-messages.ts";

/** One answer: which tokens may come next, whether it may end, whether it must. */
export class TokenMatcher {
  readonly #matcher: GrammarMatcher;
  readonly #settings: ThreadSettings;
  readonly #mask: Int32Array;
  /** The grammar's leading space was taken as read, and the next token may bring it after all. */
  #mayBringPrefix: boolean;
  #hasBegun = false;

  /** @param continuesText whether the answer goes on from a text, so that it has no prefix */
  constructor(
    matcher: GrammarMatcher,
    settings: ThreadSettings,
    options: { readonly continuesText: boolean; readonly mask: SharedArrayBuffer },
  ) {
    this.#matcher = matcher;
    this.#settings = settings;
    this.#mask = new Int32Array(options.mask);
    this.#mayBringPrefix = !options.continuesText;
  }

  /** @returns whether nothing may follow */
  async advance(tokenId: number | undefined): Promise<boolean> {
    if (tokenId === undefined) {
      await this.#begin();
    } else {
      if (this.#mayBringPrefix && this.#settings.takesPrefix[tokenId] === 1) {
        this.#matcher.rollBack(1);
      }
      this.#mayBringPrefix = false;
      if (!this.#matcher.acceptToken(tokenId)) {
        throw new GrammarProblem("a token was taken that the grammar does not allow");
      }
      this.#mask.set(await this.#matcher.getNextTokenBitmask());
    }
    return this.#isComplete();
  }

  close(): void {
    this.#matcher.dispose();
  }

  /** Tokens with the prefix go by the grammar's beginning, the others by what follows its space. */
  async #begin(): Promise<void> {
    if (this.#hasBegun) throw new GrammarProblem("the answer has begun already");
    this.#hasBegun = true;
    const withPrefix = this.#mayBringPrefix
      ? await this.#matcher.getNextTokenBitmask()
      : new Int32Array(this.#mask.length);
    this.#matcher._acceptString(" ");
    const mask = await this.#matcher.getNextTokenBitmask();
    if (mask.every((word) => word === 0)) refuseDeadEnd();
    if (this.#mayBringPrefix) {
      this.#settings.takesPrefix.forEach((takes, id) => {
        if (takes === 0) return;
        const bit = 1 << (id & 31);
        const word = id >>> 5;
        mask[word] = (mask[word]! & ~bit) | (withPrefix[word]! & bit);
      });
    }
    this.#mask.set(mask);
  }

  #isComplete(): boolean {
    const { stopTokenIds, vocabSize } = this.#settings;
    const rest = this.#mask.slice();
    let mayEnd = false;
    for (const id of stopTokenIds) {
      const bit = 1 << (id & 31);
      mayEnd ||= (rest[id >>> 5]! & bit) !== 0;
      rest[id >>> 5]! &= ~bit;
    }
    const tail = vocabSize & 31;
    if (tail !== 0) rest[rest.length - 1]! &= (1 << tail) - 1;
    const mayGoOn = rest.some((word) => word !== 0);
    if (!mayGoOn && !mayEnd) refuseDeadEnd();
    return !mayGoOn;
  }
}

function refuseDeadEnd(): never {
  throw new GrammarProblem("the grammar leads to where no token may follow");
}

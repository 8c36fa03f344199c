// Finds stop strings in text that arrives in pieces, and holds back what may become one.
import assert from "node:assert/strict";

/** What one piece of text released. */
export interface StopScan {
  /** Text that is part of no stop string, and cannot become part of one. */
  readonly text: string;
  /** The stop string that is complete; `text` ends where it began, and nothing follows. */
  readonly stopString: string | undefined;
}

/**
 * Ends text where the first stop string is complete: the match with the earliest end, and of
 * several with that end the longest. How the text is cut into pieces makes no difference.
 */
export class StopMatcher {
  readonly #patterns: readonly Pattern[];
  /** Released by no scan yet: the longest end of the text that begins a stop string. */
  #held = "";

  /** @param strings none of them empty */
  constructor(strings: readonly string[]) {
    assert(
      strings.every((text) => text.length > 0),
      "an empty stop string",
    );
    this.#patterns = strings.map((text) => ({ text, borders: bordersOf(text), matched: 0 }));
  }

  /**
   * Takes the next piece; after a match there is no next.
   *
   * @param mayEnd whether a stop string that this piece completes is a match. One that is none is
   *   text like any other, but a later one may begin in it.
   */
  push(piece: string, mayEnd: boolean): StopScan {
    const text = this.#held + piece;
    for (let end = this.#held.length + 1; end <= text.length; end++) {
      const stopString = this.#advance(text.charCodeAt(end - 1));
      if (stopString === undefined || !mayEnd) continue;
      this.#held = "";
      return { text: text.slice(0, end - stopString.length), stopString };
    }
    const heldLength = Math.max(0, ...this.#patterns.map((pattern) => pattern.matched));
    this.#held = text.slice(text.length - heldLength);
    return { text: text.slice(0, text.length - heldLength), stopString: undefined };
  }

  /** What is held back, when no more text will come. */
  flush(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }

  /** The longest stop string that this code unit completes. */
  #advance(codeUnit: number): string | undefined {
    let complete: string | undefined;
    for (const pattern of this.#patterns) {
      const { text, borders } = pattern;
      let matched = pattern.matched;
      while (matched > 0 && text.charCodeAt(matched) !== codeUnit) matched = borders[matched - 1]!;
      if (text.charCodeAt(matched) === codeUnit) matched += 1;
      pattern.matched = matched;
      if (matched < text.length) continue;
      if (matched > (complete?.length ?? 0)) complete = text;
      pattern.matched = borders[matched - 1]!; // what a later match may begin with
    }
    return complete;
  }
}

/** A stop string and how much of it the text ends with. */
interface Pattern {
  readonly text: string;
  /** As {@link bordersOf} gives them. */
  readonly borders: Uint16Array;
  matched: number;
}

/** [n]: for each prefix of `text`, its longest proper prefix that also ends it (Knuth et al.). */
function bordersOf(text: string): Uint16Array {
  const borders = new Uint16Array(text.length);
  let length = 0;
  for (let i = 1; i < text.length; i++) {
    while (length > 0 && text[length] !== text[i]) length = borders[length - 1]!;
    if (text[length] === text[i]) length += 1;
    borders[i] = length;
  }
  return borders;
}

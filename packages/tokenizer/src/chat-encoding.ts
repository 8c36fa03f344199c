// A rendered conversation to token ids. Only the template's own words can name control tokens.
import type { ChatPart } from "./chat-template.ts";
import type { AddedToken } from "./special-tokens.ts";

/** How the text between two control tokens becomes ids. */
export interface RunEncoding {
  /** @param isFirst whether no control token goes before */
  encode(text: string, isFirst: boolean): Int32Array;
}

/**
 * Encodes conversations. The text between two control tokens, bodies and template together, is one
 * run and is encoded at once: that is what keeps the ids at the seams as the model learnt them.
 *
 * With `mistralSeams`, text begins afresh, with the dummy prefix that `runs` adds, where Mistral's
 * own encoder begins: at the start of each run, and at each assistant's body. Some templates spell
 * that prefix as a space and some leave it out; both give the same ids.
 */
export class ChatEncoding {
  readonly #runs: RunEncoding;
  readonly #mistralSeams: boolean;
  readonly #tokens: ReadonlyMap<string, AddedToken>;
  readonly #tokenPattern: RegExp | undefined;

  constructor(
    runs: RunEncoding,
    options: { readonly tokens: readonly AddedToken[]; readonly mistralSeams: boolean },
  ) {
    this.#runs = runs;
    this.#mistralSeams = options.mistralSeams;
    this.#tokens = new Map(options.tokens.map((token) => [token.content, token]));
    this.#tokenPattern = toPattern([...this.#tokens.keys()]);
  }

  encode(parts: readonly ChatPart[]): Int32Array {
    const ids: number[] = [];
    let run = "";
    let isFirst = true;
    const endRun = (): void => {
      for (const id of this.#runs.encode(run, isFirst)) ids.push(id);
      run = "";
      isFirst = false;
    };
    for (const part of parts) {
      if (part.kind === "body") {
        if (this.#mistralSeams && part.role === "assistant" && /\S$/u.test(run)) run += " ";
        run += part.text;
        continue;
      }
      for (const item of this.#cut(part.text)) {
        if (typeof item === "string") run += run === "" ? this.#runStart(item) : item;
        else {
          endRun();
          ids.push(item.id);
        }
      }
    }
    endRun();
    return Int32Array.from(ids);
  }

  /** A space with which the template opens a run is the dummy prefix, spelled out. */
  #runStart(text: string): string {
    return this.#mistralSeams && text.startsWith(" ") ? text.slice(1) : text;
  }

  /** The template's words, and between them the tokens they spell. */
  #cut(text: string): (string | AddedToken)[] {
    const items: (string | AddedToken)[] = [];
    let rest = text;
    for (;;) {
      const match = this.#tokenPattern?.exec(rest);
      if (match === null || match === undefined) break;
      const token = this.#tokens.get(match[0])!;
      const before = rest.slice(0, match.index);
      items.push(token.lstrip ? before.trimEnd() : before, token);
      rest = rest.slice(match.index + match[0].length);
      if (token.rstrip) rest = rest.trimStart();
    }
    items.push(rest);
    return items.filter((item) => item !== "");
  }
}

/** Finds the leftmost token, and of those that begin there the longest. */
function toPattern(contents: readonly string[]): RegExp | undefined {
  if (contents.length === 0) return undefined;
  const longestFirst = contents.toSorted((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map((content) => RegExp.escape(content)).join("|"), "u");
}

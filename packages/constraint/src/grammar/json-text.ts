// JSON's own words: strings, numbers, white space, and values of no particular shape.
import { allCharacters, type CodePoints, intersect, without } from "./code-points.ts";
import {
  anyOf,
  characterClass,
  inOrder,
  literal,
  nothing,
  type RuleWriter,
  repeat,
} from "./ebnf.ts";

/** More digits are not exact in a double, and a model that runs on in digits comes to an end. */
export const integerDigitsMax = 15;
/** Spaces and tabs of an indented line: room for sixteen levels of two. */
const indentMax = 32;

const controls: CodePoints = [[0x1, 0x1f]];
const quoteAndBackslash: CodePoints = [
  [0x22, 0x22],
  [0x5c, 0x5c],
];
/** Those that stand for themselves inside a JSON string. */
export const plainCharacters = without(without(allCharacters, controls), quoteAndBackslash);

const shortEscapes = new Map([
  [0x08, "b"],
  [0x09, "t"],
  [0x0a, "n"],
  [0x0c, "f"],
  [0x0d, "r"],
  [0x22, '"'],
  [0x5c, "\\"],
]);

/** One character of the set as it is written inside a JSON string, escaped only if it must be. */
export function jsonCharacter(codePoints: CodePoints): string {
  const plain = intersect(codePoints, plainCharacters);
  const options = plain.length === 0 ? [] : [characterClass(plain)];
  for (const [first, last] of intersect(codePoints, [...controls, ...quoteAndBackslash])) {
    for (let codePoint = first; codePoint <= last; codePoint++) {
      const short = shortEscapes.get(codePoint);
      options.push(literal(short === undefined ? `\\u${hex4(codePoint)}` : `\\${short}`));
    }
  }
  return options.length === 0 ? characterClass([]) : anyOf(options);
}

function hex4(codePoint: number): string {
  return codePoint.toString(16).padStart(4, "0");
}

/** Rules that many values share, each written when it is first asked for. */
export class JsonRules {
  readonly writer: RuleWriter;
  readonly #written = new Map<string, string>();

  constructor(writer: RuleWriter) {
    this.writer = writer;
  }

  /** At most a space, or a line feed and an indent: white space that cannot run away. */
  get space(): string {
    return this.#once("space", () =>
      anyOf([nothing, '" "', `"\\n" ${repeat("[ \\t]", 0, indentMax)}`]),
    );
  }

  get comma(): string {
    return this.#once("comma", () => inOrder('","', this.space));
  }

  get colon(): string {
    return this.#once("colon", () => '":" " "?');
  }

  /** One character of a string, in any spelling; surrogates only in pairs. */
  get character(): string {
    return this.#once("character", () => {
      const hex = "[0-9a-fA-F]";
      const unit = `"u" (${["[0-9a-cA-CeEfF]", hex, hex, hex].join(" ")} | [dD] [0-7] ${hex} ${hex})`;
      const pair = `"u" [dD] [89abAB] ${hex} ${hex} "\\\\u" [dD] [c-fC-F] ${hex} ${hex}`;
      return `${characterClass(plainCharacters)} | "\\\\" ("\\"" | [\\\\/bfnrt] | ${unit} | ${pair})`;
    });
  }

  get string(): string {
    return this.#once("string", () =>
      inOrder('"\\""', repeat(this.character, 0, Infinity), '"\\""'),
    );
  }

  get integer(): string {
    const more = repeat("[0-9]", 0, integerDigitsMax - 1);
    return this.#once("integer", () => `"0" | "-"? [1-9] ${more}`);
  }

  /** Never beyond a double's range. */
  get number(): string {
    const more = repeat("[0-9]", 0, integerDigitsMax - 1);
    const fraction = `("." ${repeat("[0-9]", 1, integerDigitsMax)})?`;
    return this.#once(
      "number",
      () => `"-"? ("0" | [1-9] ${more}) ${fraction} ([eE] [+\\u002d]? [0-9] [0-9]?)?`,
    );
  }

  get boolean(): string {
    return anyOf(['"true"', '"false"']);
  }

  get value(): string {
    return this.#once("value", (name) => {
      const { object, array } = this.#containersOf(name);
      return `${object} | ${array} | ${this.string} | ${this.number} | ${this.boolean} | "null"`;
    });
  }

  get object(): string {
    return this.#containersOf(this.value).object;
  }

  get array(): string {
    return this.#containersOf(this.value).array;
  }

  #containersOf(value: string): { readonly object: string; readonly array: string } {
    const member = this.#once("member", () => inOrder(this.string, this.colon, value));
    return {
      object: this.#once("object", () => this.list("{}", member, 0, Infinity)),
      array: this.#once("array", () => this.list("[]", value, 0, Infinity)),
    };
  }

  /** Between `min` and `max` items in these brackets. */
  list(brackets: "{}" | "[]", item: string, min: number, max: number): string {
    const [open, close] = Array.from(brackets, literal);
    if (max === 0) return inOrder(open!, this.space, close!);
    const more = repeat(inOrder(this.comma, item), Math.max(0, min - 1), max - 1);
    const items = inOrder(item, more, this.space);
    return inOrder(open!, this.space, min === 0 ? repeat(items, 0, 1) : items, close!);
  }

  /** Writes a rule once; its name is known before, so that it may speak of itself. */
  #once(key: string, expression: (name: string) => string): string {
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    const name = this.writer.reserve();
    this.#written.set(key, name);
    return this.writer.add(expression(name), name);
  }
}

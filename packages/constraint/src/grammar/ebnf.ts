// Pieces of EBNF as the grammar engine reads it.
import { type CodePoints, toUtf8Sequences, type Utf8Sequence } from "./code-points.ts";
import { GrammarProblem } from "./grammar-problem.ts";

/** The empty text. */
export const nothing = '""';

/** Collects rules; names are made here, so that they never meet. */
export class RuleWriter {
  readonly #rules: string[] = [];
  #count = 0;

  /** A name for a rule that is not written yet. */
  reserve(): string {
    return `r${this.#count++}`;
  }

  /** @returns the name of the rule, to stand where it is wanted */
  add(expression: string, name = this.reserve()): string {
    this.#rules.push(`${name} ::= ${expression}`);
    return name;
  }

  toString(): string {
    return `${this.#rules.join("\n")}\n`;
  }
}

/** This text, exactly. */
export function literal(text: string): string {
  if (text === "") return nothing;
  return `"${Array.from(text, (character) => escapeCodePoint(character.codePointAt(0)!)).join("")}"`;
}

/**
 * One character of the set, as the bytes of its UTF-8. The engine reads a class as one byte, however
 * large its code points, and a negated one as those bytes or any sequence that looks like UTF-8;
 * byte by byte it is exact.
 */
export function characterClass(codePoints: CodePoints): string {
  if (codePoints.length === 0) {
    throw new GrammarProblem("expected a character class that some character fits, found none");
  }
  return bytesOf(toUtf8Sequences(codePoints));
}

/** Sequences of byte ranges, those with the same first range together; they are in order. */
function bytesOf(sequences: readonly Utf8Sequence[]): string {
  const last = sequences.filter((bytes) => bytes.length === 1).map((bytes) => bytes[0]!);
  const options = last.length > 0 ? [byteClass(last)] : [];
  const byFirst = Map.groupBy(
    sequences.filter((bytes) => bytes.length > 1),
    (bytes) => bytes[0]!.join(),
  );
  for (const group of byFirst.values()) {
    const rest = group.map((bytes) => bytes.slice(1));
    options.push(inOrder(byteClass([group[0]![0]!]), bytesOf(rest)));
  }
  return anyOf(options);
}

function byteClass(ranges: CodePoints): string {
  const shown = ranges.map(([first, last]) => {
    const [from, to] = [escapeCodePoint(first), escapeCodePoint(last)];
    if (first < last) return `${from}-${to}`;
    // Of a class with one member the engine makes a text, and so two bytes of one above 0x7f.
    return first > 0x7f ? `${from}${from}` : from;
  });
  return `[${shown.join("")}]`;
}

/** Any one of them. */
export function anyOf(expressions: readonly string[]): string {
  return expressions.length === 1 ? expressions[0]! : `(${expressions.join(" | ")})`;
}

/** One after the other. */
export function inOrder(...expressions: readonly string[]): string {
  const shown = expressions.filter((expression) => expression !== nothing);
  if (shown.length === 0) return nothing;
  return shown.length === 1 ? shown[0]! : `(${shown.join(" ")})`;
}

/** Between `min` and `max` times. */
export function repeat(expression: string, min: number, max: number): string {
  if (max === 0) return nothing;
  if (min === 1 && max === 1) return expression;
  if (max === Number.POSITIVE_INFINITY) {
    if (min === 0) return `(${expression})*`;
    return min === 1 ? `(${expression})+` : `(${expression}){${min},}`;
  }
  return min === 0 && max === 1 ? `(${expression})?` : `(${expression}){${min},${max}}`;
}

function escapeCodePoint(codePoint: number): string {
  return codePoint <= 0xffff
    ? `\\u${codePoint.toString(16).padStart(4, "0")}`
    : `\\U${codePoint.toString(16).padStart(8, "0")}`;
}

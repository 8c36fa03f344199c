// An ECMAScript regular expression as a grammar of exactly what it matches, or a refusal by name.
import { type AST, RegExpParser } from "@eslint-community/regexpp";
import { allCharacters, type CodePoints, toCodePoints, without } from "./code-points.ts";
import { anyOf, inOrder, nothing, repeat } from "./ebnf.ts";
import { GrammarProblem } from "./grammar-problem.ts";

/** Most repetitions that can be asked for by number; each may cost the compiler a state. */
export const repetitionsMax = 4096;

/** How an expression is read. */
export interface RegexReading {
  /** One character of a set, as the text spells it. */
  readonly character: (codePoints: CodePoints) => string;
  /** Whether it matches the whole text, or may be found anywhere in it as in JSON Schema. */
  readonly extent: "whole" | "anywhere";
}

/** @throws {GrammarProblem} for a mistake, or for what no grammar can express */
export function regexGrammar(pattern: string, reading: RegexReading): string {
  let parsed: AST.Pattern;
  try {
    parsed = new RegExpParser().parsePattern(pattern, 0, pattern.length, { unicode: true });
  } catch (error) {
    throw new GrammarProblem(error instanceof Error ? error.message : String(error));
  }
  const anything =
    reading.extent === "whole" ? nothing : repeat(reading.character(allCharacters), 0, Infinity);
  return anyOf(
    parsed.alternatives.map(({ elements }) => {
      const isAnchor = (element: AST.Element | undefined, kind: "start" | "end"): boolean =>
        element?.type === "Assertion" && element.kind === kind;
      const start = isAnchor(elements[0], "start") ? 1 : 0;
      const end = isAnchor(elements.at(-1), "end") ? elements.length - 1 : elements.length;
      return inOrder(
        start === 1 ? nothing : anything,
        ...elements.slice(start, Math.max(start, end)).map((part) => element(part, reading)),
        end < elements.length ? nothing : anything,
      );
    }),
  );
}

function element(part: AST.Element, reading: RegexReading): string {
  switch (part.type) {
    case "Group":
      if (part.modifiers !== null) refuse("modifiers of flags", part);
      return alternatives(part.alternatives, reading);
    case "CapturingGroup":
      return alternatives(part.alternatives, reading);
    case "Quantifier":
      return quantified(part, reading);
    case "Character":
    case "CharacterSet":
    case "CharacterClass":
      return reading.character(setOf(part));
    case "Assertion":
      return refuse(assertionName(part), part);
    case "Backreference":
      return refuse("a back reference", part);
    case "ExpressionCharacterClass":
      return refuse("a class with operators", part);
  }
}

function alternatives(list: readonly AST.Alternative[], reading: RegexReading): string {
  return anyOf(list.map(({ elements }) => inOrder(...elements.map((e) => element(e, reading)))));
}

function quantified(part: AST.Quantifier, reading: RegexReading): string {
  const { min, max, element: inner } = part;
  if (inner.type === "Assertion") refuse(assertionName(inner), part);
  const counts = [min, max].filter((count) => count !== Number.POSITIVE_INFINITY);
  if (counts.some((count) => count > repetitionsMax)) {
    throw new GrammarProblem(`expected at most ${repetitionsMax} repetitions, found ${part.raw}`);
  }
  return repeat(element(inner, reading), min, max);
}

function setOf(part: AST.Character | AST.CharacterSet | AST.CharacterClass): CodePoints {
  if (part.type === "Character") return toCodePoints([[part.value, part.value]]);
  if (part.type === "CharacterSet") return matching(part.raw === "." ? "." : part.raw);
  const members = part.elements.flatMap((member) => {
    switch (member.type) {
      case "Character":
        return toCodePoints([[member.value, member.value]]);
      case "CharacterClassRange":
        return toCodePoints([[member.min.value, member.max.value]]);
      case "CharacterSet":
        return matching(member.raw);
      default:
        return refuse("a class within a class", part);
    }
  });
  const set = toCodePoints(members);
  return part.negate ? without(allCharacters, set) : set;
}

const known = new Map<string, CodePoints>();

/** What \d, \s, \p{L} or . mean, by asking the engine that defines them. */
function matching(raw: string): CodePoints {
  let found = known.get(raw);
  if (found !== undefined) return found;
  const expression = new RegExp(`^${raw}$`, "u");
  const ranges: [number, number][] = [];
  for (const [first, last] of allCharacters) {
    for (let codePoint = first; codePoint <= last; codePoint++) {
      if (!expression.test(String.fromCodePoint(codePoint))) continue;
      const before = ranges.at(-1);
      if (before !== undefined && before[1] === codePoint - 1) before[1] = codePoint;
      else ranges.push([codePoint, codePoint]);
    }
  }
  found = toCodePoints(ranges);
  known.set(raw, found);
  return found;
}

function assertionName(part: AST.Assertion): string {
  switch (part.kind) {
    case "word":
      return "a word boundary";
    case "lookahead":
    case "lookbehind":
      return `a ${part.kind}`;
    case "start":
    case "end":
      return "an anchor that is not at the end of the expression";
  }
}

function refuse(what: string, part: { readonly raw: string }): never {
  throw new GrammarProblem(`${what} cannot be enforced: ${part.raw}`);
}

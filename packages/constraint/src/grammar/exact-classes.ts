// A caller's EBNF with its character classes spelled so that the engine reads them exactly.
import { allCharacters, toCodePoints, without } from "./code-points.ts";
import { characterClass } from "./ebnf.ts";
import { GrammarProblem } from "./grammar-problem.ts";

/** A comment, a text, or a class; whatever is between is left as it is. */
const tokenPattern = /#[^\n]*|"(?:[^"\\\n]|\\.)*"|\[(?:[^\]\\\n]|\\.)*\]/gu;
const memberPattern =
  /\\u\{([0-9a-fA-F]{1,6})\}|\\U([0-9a-fA-F]{8})|\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\(.)|(.)/gsu;

const letters: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  f: "\f",
  v: "\v",
  b: "\b",
  a: "\u0007",
  e: "\u001b",
  0: "\0",
};

/** @throws {GrammarProblem} for a class that no character fits, or an escape that is none */
export function withExactClasses(grammar: string): string {
  return grammar.toWellFormed().replaceAll(tokenPattern, (token) => {
    if (!token.startsWith("[")) return token;
    return characterClass(readClass(token.slice(1, -1)));
  });
}

function readClass(body: string) {
  const isNegated = body.startsWith("^");
  const members = Array.from(body.slice(isNegated ? 1 : 0).matchAll(memberPattern), toMember);
  const ranges: [number, number][] = [];
  for (let i = 0; i < members.length; i++) {
    const from = members[i]!;
    const to = members[i + 2];
    if (!members[i + 1]?.isDash || to === undefined) {
      ranges.push([from.codePoint, from.codePoint]);
      continue;
    }
    if (to.codePoint < from.codePoint) {
      throw new GrammarProblem(`expected a range from low to high, found one in [${body}]`);
    }
    ranges.push([from.codePoint, to.codePoint]);
    i += 2;
  }
  const set = toCodePoints(ranges);
  return isNegated ? without(allCharacters, set) : set;
}

function toMember(match: RegExpMatchArray): { codePoint: number; isDash: boolean } {
  const [, braced, eight, four, two, escaped, plain] = match;
  const hex = braced ?? eight ?? four ?? two;
  if (hex !== undefined) return { codePoint: Number.parseInt(hex, 16), isDash: false };
  if (escaped === undefined) return { codePoint: plain!.codePointAt(0)!, isDash: plain === "-" };
  const letter = letters[escaped];
  if (letter === undefined && /[a-zA-Z0-9]/.test(escaped)) {
    throw new GrammarProblem(`no escape in a character class: \\${escaped}`);
  }
  return { codePoint: (letter ?? escaped).codePointAt(0)!, isDash: false };
}

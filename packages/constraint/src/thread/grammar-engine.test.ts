// The engine on sets of characters, against JavaScript's own reading, byte by byte.
import { expect, test } from "vitest";
import { characterClass } from "../grammar/ebnf.ts";
import { withExactClasses } from "../grammar/exact-classes.ts";
import { regexGrammar } from "../grammar/regex-grammar.ts";
import { seededRandom } from "../testing/random-walk.ts";
import { loadGrammarEngine } from "./grammar-engine.ts";

const engine = loadGrammarEngine(256 * 1024 * 1024);
const { GrammarCompiler, GrammarMatcher, TokenizerInfo } = engine.api;
const tokenizer = await TokenizerInfo.createTokenizerInfo(["a"], "raw", false, 1, []);
const compiler = await GrammarCompiler.createGrammarCompiler(tokenizer, false);
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether a grammar matches these bytes from end to end. */
async function openAcceptor(grammar: string): Promise<(bytes: Uint8Array) => boolean> {
  const compiled = await compiler.compileGrammar(grammar);
  const matcher = await GrammarMatcher.createGrammarMatcher(compiled, undefined, true);
  return (bytes) => {
    matcher.reset();
    // Byte by byte, as a model with byte tokens would.
    const ok = bytes.every((_, i) =>
      matcher._acceptString(bytes.subarray(i, i + 1) as unknown as string),
    );
    return ok && matcher.isTerminated();
  };
}

function* sampledCharacters(): Generator<string> {
  for (let codePoint = 1; codePoint <= 0x10ffff; codePoint++) {
    if (codePoint === 0xd800) codePoint = 0xe000;
    const isEdge = (codePoint & 0x3f) <= 1 || (codePoint & 0x3f) === 0x3f;
    if (codePoint > 0x1000 && !isEdge && codePoint % 61 !== 0) continue;
    yield String.fromCodePoint(codePoint);
  }
}

for (const source of [
  '[^"\\\\\\u0001-\\u001f]',
  ".",
  "[é-\\u1234]",
  "[\\ufff0-\\u{1f602}a]",
  "\\p{L}",
  "\\S",
  "€",
]) {
  test(`${source} is the same set to the engine as to RegExp`, async () => {
    const reading = { character: characterClass, extent: "whole" } as const;
    const accepts = await openAcceptor(`root ::= ${regexGrammar(source, reading)}\n`);
    const expression = new RegExp(`^(?:${source})$`, "u");
    const wrong: string[] = [];
    for (const character of sampledCharacters()) {
      if (accepts(Buffer.from(character)) !== expression.test(character)) wrong.push(character);
    }
    const random = seededRandom(7);
    for (let i = 0; i < 20_000; i++) {
      const byte = () => (random() < 0.8 ? 0x80 : 0) + Math.floor(random() * 128);
      const bytes = Uint8Array.from({ length: 1 + Math.floor(random() * 4) }, byte);
      const text = decode(bytes);
      const isGood = text !== undefined && text !== "\0" && expression.test(text);
      if (accepts(bytes) !== isGood) wrong.push(bytes.join());
    }
    expect(wrong).toEqual([]);
  });
}

test("classes in a caller's own grammar are exact too, texts and comments left alone", async () => {
  const grammar = withExactClasses(
    'root ::= "[x]" a* b # a comment with [^z] in it\n' +
      'a ::= [^\\]\\u0041-Zé-] | "\\"[]"\nb ::= [а-яё\\U0001F600-\\U0001F64F]\n',
  );
  const accepts = await openAcceptor(grammar);
  const good = ["[x]я", "[x]ab😀", "[x]ñ€ё", '[x]"[]я'];
  const bad = ["я", "[x]", "[x]Я", "[x]éя", "[x]-я", "[x]]я", "[x]Qя"];
  for (const text of good) expect(accepts(Buffer.from(text)), text).toBe(true);
  for (const text of bad) expect(accepts(Buffer.from(text)), text).toBe(false);
});

test("an abort says why", async () => {
  engine.takeOutput();
  await expect(compiler.compileGrammar("root ::= missing")).rejects.toThrow("Aborted");
  expect(engine.takeOutput().join("\n")).toContain('Rule "missing" is not defined');
});

function decode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

// Keys that a schema does not name: every string but some.
import { intersect, toCodePoints, without } from "./code-points.ts";
import { anyOf, characterClass, inOrder, literal, type RuleWriter, repeat } from "./ebnf.ts";
import { plainCharacters } from "./json-text.ts";

interface KeyNode {
  isKey: boolean;
  readonly next: Map<string, KeyNode>;
}

/**
 * A JSON string without escapes that is none of `keys`: were a named key let in here, it could have
 * a value that its own schema refuses.
 */
export function otherKey(keys: readonly string[], writer: RuleWriter): string {
  const root: KeyNode = { isKey: false, next: new Map() };
  for (const key of keys) {
    let node = root;
    for (const character of key) {
      let next = node.next.get(character);
      if (next === undefined) {
        next = { isKey: false, next: new Map() };
        node.next.set(character, next);
      }
      node = next;
    }
    node.isKey = true;
  }
  const plain = characterClass(plainCharacters);
  const anyRest = writer.add(inOrder(repeat(plain, 0, Number.POSITIVE_INFINITY), '"\\""'));
  const ruleOf = (node: KeyNode): string => {
    const characters = [...node.next.keys()];
    const taken = toCodePoints(characters.map((c) => [c.codePointAt(0)!, c.codePointAt(0)!]));
    const options = [inOrder(characterClass(without(plainCharacters, taken)), anyRest)];
    if (!node.isKey) options.push('"\\""');
    for (const [character, next] of node.next) {
      const codePoint = character.codePointAt(0)!;
      // A key with a character that must be escaped is never spelled without escapes.
      if (intersect([[codePoint, codePoint]], plainCharacters).length === 0) continue;
      options.push(inOrder(literal(character), ruleOf(next)));
    }
    return writer.add(anyOf(options));
  };
  return inOrder('"\\""', ruleOf(root));
}

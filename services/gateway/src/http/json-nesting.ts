// How deep a JSON text nests, before anything is built of it: what is walked by recursion later must
// not be as deep as a client likes.

/** Deepest that a body may nest: a JSON Schema takes some levels, a stack overflow thousands. */
export const jsonNestingMax = 128;

/** Whether `text`, if it is JSON, has arrays and objects deeper within each other than `depthMax`. */
export function nestsDeeperThan(text: string, depthMax: number): boolean {
  let depth = 0;
  let isInString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (isInString) {
      if (character === backslash) i++;
      else if (character === quote) isInString = false;
    } else if (character === quote) isInString = true;
    else if (character === openBracket || character === openBrace) {
      if (++depth > depthMax) return true;
    } else if (character === closeBracket || character === closeBrace) depth--;
  }
  return false;
}

const quote = '"'.charCodeAt(0);
const backslash = "\\".charCodeAt(0);
const openBracket = "[".charCodeAt(0);
const closeBracket = "]".charCodeAt(0);
const openBrace = "{".charCodeAt(0);
const closeBrace = "}".charCodeAt(0);

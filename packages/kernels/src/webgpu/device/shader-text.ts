// The text of shaders, as it lies on disk but for sizes that stand in types.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

/** A shader of ../shaders, named without ".wgsl". */
export function readShader(name: string): string {
  return readFileSync(new URL(`../shaders/${name}.wgsl`, import.meta.url), "utf8");
}

/** The shader with other values of some `const` declarations, each of which it has. */
export function withSizes(code: string, sizes: Readonly<Record<string, number>>): string {
  return Object.entries(sizes).reduce((text, [name, value]) => {
    const declaration = new RegExp(`^const ${name} = \\d+u;`, "m");
    assert.match(text, declaration);
    return text.replace(declaration, `const ${name} = ${value}u;`);
  }, code);
}

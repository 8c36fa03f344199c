import { posix } from "node:path";
import { expect, test } from "vitest";
import { readSources, type SourceFile } from "./source-tree.ts";

const sources = readSources(["packages"], [".ts"]);
const byPath = new Map(sources.map((file) => [file.path, file]));

/** Names that an entry point re-exports from files of its own package, with the file. */
function reExports(index: SourceFile): { name: string; file: string }[] {
  const pattern = /export (?:type )?\{([^}]*)\} from "(\.[^"]+)"/g;
  return Array.from(index.text.matchAll(pattern)).flatMap(([, names, from]) =>
    names!
      .split(",")
      .map(
        (name) =>
          name
            .trim()
            .replace(/^type /, "")
            .split(" as ")[0]!,
      )
      .filter((name) => name !== "")
      .map((name) => ({ name, file: posix.join(posix.dirname(index.path), from!) })),
  );
}

/** Whether the declaration of `name` has a doc comment right above it. */
function isDocumented(file: SourceFile, name: string): boolean {
  const modifiers = "(?:declare )?(?:async )?(?:abstract )?";
  const keywords = "(?:function\\*?|class|interface|type|const)";
  const declaration = new RegExp(`^export ${modifiers}${keywords} ${name}\\b`, "m");
  const at = declaration.exec(file.text)?.index;
  return at !== undefined && /\*\/\s*$/.test(file.text.slice(0, at));
}

const entryPoints = sources.filter((file) => /^packages\/[^/]+\/src\/index\.ts$/.test(file.path));

test("every export of a package has a doc comment where it is declared", () => {
  const undocumented = entryPoints.flatMap((index) =>
    reExports(index)
      .filter(({ file }) => !file.includes("/gen/"))
      .filter(({ name, file }) => {
        const source = byPath.get(file);
        return source === undefined || !isDocumented(source, name);
      })
      .map(({ name, file }) => `${file}: ${name}`),
  );
  expect(undocumented).toEqual([]);
});

test("entry points re-export by name and hold nothing else", () => {
  const offenders = entryPoints.filter((index) => {
    const rest = index.text
      .replace(/export (?:type )?\{[^}]*\} from "[^"]+";/g, "")
      .replace(/^\/\/.*$/gm, "");
    return rest.trim() !== "";
  });
  expect(offenders.map((file) => file.path)).toEqual([]);
});

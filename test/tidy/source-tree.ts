// Reads the repository's own sources for the tidy tests.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root folder. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** One file of ours, with its path from the root in POSIX form. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const skippedFolders = new Set(["node_modules", "build", "gen", ".git", ".turbo", ".venv"]);

/** Every file under `folders` whose name ends in one of `extensions`, sorted by path. */
export function readSources(
  folders: readonly string[],
  extensions: readonly string[],
): SourceFile[] {
  const found: SourceFile[] = [];
  const visit = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const full = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!skippedFolders.has(entry.name)) visit(full);
      } else if (extensions.some((extension) => entry.name.endsWith(extension))) {
        found.push({ path: toPosix(relative(root, full)), text: readFileSync(full, "utf8") });
      }
    }
  };
  for (const folder of folders) visit(join(root, folder));
  return found.sort((a, b) => a.path.localeCompare(b.path));
}

function toPosix(path: string): string {
  return path.split(sep).join("/");
}

/** What a file imports, `import type` and dynamic imports included. */
export function importsOf(file: SourceFile): string[] {
  const code = withoutComments(file.text);
  const patterns = [
    /^(?:import|export)\b[^;"'`]*?\bfrom\s+["']([^"']+)["']/gm,
    /^import\s+["']([^"']+)["']/gm,
    /\bimport\(\s*["']([^"']+)["']\s*\)/g,
  ];
  return patterns.flatMap((pattern) => Array.from(code.matchAll(pattern), (match) => match[1]!));
}

/** The root-relative path of a relative import, as written. */
export function resolveRelative(from: SourceFile, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(from.path), specifier));
}

/** The package folder a path belongs to: "packages/core", "services/coordinator", "test". */
export function packageFolderOf(path: string): string {
  const parts = path.split("/");
  return parts[0] === "packages" || parts[0] === "services" ? `${parts[0]}/${parts[1]}` : parts[0]!;
}

/** The text with comments blanked, so that words in them are not taken for code. */
export function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "))
    .replace(/(^|[^:"'`])\/\/[^\n]*/g, "$1");
}

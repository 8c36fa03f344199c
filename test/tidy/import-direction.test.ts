import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findCycle, type Graph } from "./find-cycle.ts";
import {
  importsOf,
  packageFolderOf,
  readSources,
  resolveRelative,
  root,
  type SourceFile,
} from "./source-tree.ts";

/** Which packages a package may import. Everything not listed is forbidden. */
const mayImport: Record<string, readonly string[]> = {
  core: [],
  telemetry: ["core"],
  protocol: ["core"],
  checkpoint: ["core"],
  kernels: ["core"],
  tokenizer: ["core"],
  engine: ["core", "kernels"],
  constraint: ["engine", "tokenizer"],
  cluster: ["core", "protocol", "engine", "kernels", "telemetry"],
  service: ["core", "protocol", "telemetry"],
  client: ["protocol"],
  cli: ["core", "protocol", "client", "checkpoint", "kernels"],
  coordinator: [
    "core",
    "telemetry",
    "protocol",
    "checkpoint",
    "kernels",
    "tokenizer",
    "engine",
    "constraint",
    "cluster",
    "service",
  ],
  "expert-worker": ["core", "telemetry", "protocol", "checkpoint", "kernels", "service"],
  gateway: ["core", "telemetry", "protocol", "service", "client"],
};

const files = readSources(["packages", "services", "test"], [".ts"]);

/** Tests, and what only tests use, may use more than the source they test. */
function isTest(file: SourceFile): boolean {
  return (
    file.path.startsWith("test/") ||
    file.path.endsWith(".test.ts") ||
    /\/(?:conformance|testing|fixture)\//.test(file.path)
  );
}

test("packages import only the packages below them", () => {
  const violations = files
    .filter((file) => !isTest(file))
    .flatMap((file) => {
      const own = packageFolderOf(file.path).split("/")[1]!;
      return importsOf(file)
        .map((specifier) => /^@octet\/([a-z-]+)/.exec(specifier)?.[1])
        .filter((name) => name !== undefined && name !== own)
        .filter((name) => !(mayImport[own] ?? []).includes(name!))
        .map((name) => `${file.path}: ${own} must not import ${name}`);
    });
  expect(violations).toEqual([]);
});

test("nothing reaches into another package's folder by a relative path", () => {
  const violations = files.flatMap((file) =>
    importsOf(file)
      .filter((specifier) => specifier.startsWith("."))
      .map((specifier) => resolveRelative(file, specifier))
      .filter((target) => packageFolderOf(target) !== packageFolderOf(file.path))
      // A test of the whole repository may look at anything.
      .filter(() => !file.path.startsWith("test/"))
      .map((target) => `${file.path}: imports ${target}`),
  );
  expect(violations).toEqual([]);
});

test("services do not import each other, and nothing imports test/", () => {
  const violations = files
    .filter((file) => !file.path.startsWith("test/"))
    .flatMap((file) =>
      importsOf(file)
        .filter((s) => /^@octet\/(coordinator|expert-worker|gateway|test)\b/.test(s))
        .map((s) => `${file.path}: imports ${s}`),
    );
  expect(violations).toEqual([]);
});

test("every package that is imported is declared in package.json", () => {
  const violations = files.flatMap((file) => {
    const folder = packageFolderOf(file.path);
    const manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const rootManifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const declared = [
      ...Object.keys(manifest.dependencies ?? {}),
      ...Object.keys(manifest.devDependencies ?? {}),
      // Test tools are the workspace's own.
      ...(isTest(file) ? Object.keys(rootManifest.devDependencies) : []),
      manifest.name,
    ];
    return importsOf(file)
      .filter((specifier) => !specifier.startsWith(".") && !specifier.startsWith("node:"))
      .map((specifier) => /^(@[^/]+\/[^/]+|[^/]+)/.exec(specifier)![1]!)
      .filter((name) => !declared.includes(name))
      .map((name) => `${file.path}: ${name} is not in ${folder}/package.json`);
  });
  expect(violations).toEqual([]);
});

test("there is no import cycle between files, types included", () => {
  const graph: Graph = new Map(
    files.map((file) => [
      file.path,
      importsOf(file)
        .filter((specifier) => specifier.startsWith("."))
        .map((specifier) => resolveRelative(file, specifier)),
    ]),
  );
  expect(findCycle(graph)).toBeUndefined();
});

test("there is no dependency cycle between packages", () => {
  const graph: Graph = new Map(Object.entries(mayImport));
  expect(findCycle(graph)).toBeUndefined();
});

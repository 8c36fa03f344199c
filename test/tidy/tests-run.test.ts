import { expect, test } from "vitest";
import { readSources, withoutComments } from "./source-tree.ts";

const sources = readSources(["packages", "services", "test", "tools"], [".ts", ".mjs"]);

test("no test is skipped, focused or left for later", () => {
  const pattern = /\b(?:test|it|describe|suite)\.(only|skip|todo|skipIf|runIf|fails)\b/g;
  const offenders = sources.flatMap((file) =>
    Array.from(withoutComments(file.text).matchAll(pattern), (m) => `${file.path}: ${m[0]}`),
  );
  expect(offenders).toEqual([]);
});

test("no type check is silenced", () => {
  const pattern = /@ts-(?:ignore|expect-error|nocheck)|\bas any\b|: any\b/g;
  const offenders = sources
    .filter((file) => !file.path.startsWith("test/tidy/"))
    .flatMap((file) => Array.from(file.text.matchAll(pattern), (m) => `${file.path}: ${m[0]}`));
  expect(offenders).toEqual([]);
});

test("a task left for later names its issue", () => {
  const pattern = /\b(?:TODO|FIXME|XXX)\b(?!\(#\d+\))/g;
  const offenders = sources
    .filter((file) => !file.path.startsWith("test/tidy/"))
    .flatMap((file) => Array.from(file.text.matchAll(pattern), (m) => `${file.path}: ${m[0]}`));
  expect(offenders).toEqual([]);
});

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const packageFolder = join(import.meta.dirname, "..");
const protoFolder = join(packageFolder, "..", "..", "proto");
const baseline = join(protoFolder, "baseline.txtpb");

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "octet-contract-"));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Runs buf with this package's tools first on the PATH. */
function buf(...args: string[]) {
  const PATH = `${join(packageFolder, "node_modules", ".bin")}${delimiter}${process.env.PATH}`;
  const env = { ...process.env, PATH };
  const { status, stdout, stderr } = spawnSync("buf", args, { encoding: "utf8", env });
  return { status, said: stdout + stderr };
}

/** The contracts with `before` replaced in the expert service's file. */
function changedContract(before: string, after: string): string {
  const folder = mkdtempSync(join(scratch, "proto-"));
  cpSync(protoFolder, folder, { recursive: true });
  const file = join(folder, "octet/expert/v1/expert.proto");
  const text = readFileSync(file, "utf8");
  expect(text).toContain(before);
  writeFileSync(file, text.replace(before, after));
  return folder;
}

function readTree(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(files.map((f) => [relative(folder, f), readFileSync(f, "utf8")]));
}

test("the contracts follow buf's lint rules", () => {
  expect(buf("lint", protoFolder)).toEqual({ status: 0, said: "" });
});

test("the contracts break no program that speaks the baseline", () => {
  const found = buf("breaking", protoFolder, "--against", baseline);
  expect(found).toEqual({ status: 0, said: "" });
});

test.each([
  ["a field with another number", "uint32 layer = 2;", "uint32 layer = 12;"],
  ["a field of another type", "uint32 layer = 2;", "string layer = 2;"],
  ["a field removed", "uint32 timeout_ms = 5;", ""],
  ["a method removed", "rpc Describe(DescribeRequest) returns (DescribeResponse);", ""],
])("%s counts as a break", (_what, before, after) => {
  const found = buf("breaking", changedContract(before, after), "--against", baseline);
  expect(found.status).not.toBe(0);
  expect(found.said).toContain("expert.proto");
});

test("a field added is no break", () => {
  const before = "uint32 timeout_ms = 5;";
  const folder = changedContract(before, `${before} uint32 priority = 6;`);
  expect(buf("breaking", folder, "--against", baseline)).toEqual({ status: 0, said: "" });
});

test("the committed code is what a fresh generation writes", () => {
  const template = join(protoFolder, "buf.gen.yaml");
  const output = join(scratch, "generated");
  expect(buf("generate", protoFolder, "--template", template, "--output", output)).toEqual({
    status: 0,
    said: "",
  });
  const fresh = readTree(join(output, "src", "gen"));
  expect(Object.keys(fresh).length).toBeGreaterThan(1);
  expect(readTree(join(packageFolder, "src", "gen"))).toEqual(fresh);
});

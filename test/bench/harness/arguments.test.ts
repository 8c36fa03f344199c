import { expect, test } from "vitest";
import { parseBenchArguments, UsageError } from "./arguments.ts";

const known = ["decode-1", "decode-8", "ready"];

test("without flags everything runs, for people, five times", () => {
  const parsed = parseBenchArguments([], known);
  expect(parsed).toEqual({ action: "run", json: false, names: known, pairs: 5 });
});

test("--only may be repeated, and keeps the registry's order", () => {
  const { names } = parseBenchArguments(["--only", "ready", "--only=decode-1"], known);
  expect(names).toEqual(["decode-1", "ready"]);
});

test("--json, --pairs, --list and --help are understood", () => {
  const parsed = parseBenchArguments(["--json", "--pairs", "7"], known);
  expect(parsed).toMatchObject({ action: "run", json: true, pairs: 7 });
  expect(parseBenchArguments(["--list"], known).action).toBe("list");
  expect(parseBenchArguments(["--list", "--help"], known).action).toBe("help");
});

test("an unknown name is refused with all the names there are", () => {
  const parse = () => parseBenchArguments(["--only", "ready", "--only", "decode-2"], known);
  expect(parse).toThrow(UsageError);
  expect(parse).toThrow(/no benchmark is named decode-2; .*decode-1\s+decode-8\s+ready/s);
});

test.each([["--frob"], ["decode-1"], ["--pairs", "0"], ["--pairs", "x"], ["--pairs", "2.5"]])(
  "%s %s is refused",
  (...argv) => {
    expect(() => parseBenchArguments(argv, known)).toThrow(UsageError);
  },
);

test("--engine webgpu and --counts go together", () => {
  const argv = ["--engine", "webgpu", "--counts"];
  expect(parseBenchArguments([...argv, "--json"], known)).toMatchObject({
    action: "gpu-counts",
    json: true,
  });
  for (const some of [argv.slice(0, 2), argv.slice(2), ["--engine", "cpu", "--counts"]]) {
    expect(() => parseBenchArguments(some, known)).toThrow(/octet bench --engine webgpu/);
  }
});

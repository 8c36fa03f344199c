import { expect, test } from "vitest";
import { readSources } from "./source-tree.ts";

const sourceLinesMax = 400;
const testLinesMax = 600;
/** The formatter breaks at 100; a string that it cannot break may go a little beyond. */
const lineLengthMax = 110;

const files = readSources(
  ["packages", "services", "test", "tools"],
  [".ts", ".mjs", ".h", ".cc", ".cpp", ".wgsl"],
);

test("no file has outgrown its one idea", () => {
  const offenders = files
    .map((file) => ({ ...file, lines: file.text.split("\n").length }))
    .filter(({ path, lines }) =>
      path.includes(".test.") ? lines > testLinesMax : lines > sourceLinesMax,
    );
  expect(offenders.map(({ path, lines }) => `${path}: ${lines} lines`)).toEqual([]);
});

test("lines fit the page", () => {
  const offenders = files.flatMap((file) =>
    file.text
      .split("\n")
      .map((line, index) => ({ where: `${file.path}:${index + 1}`, length: [...line].length }))
      .filter(({ length }) => length > lineLengthMax),
  );
  expect(offenders).toEqual([]);
});

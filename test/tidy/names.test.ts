import { posix } from "node:path";
import { expect, test } from "vitest";
import { readSources, withoutComments } from "./source-tree.ts";

const code = readSources(
  ["packages", "services", "test", "tools"],
  [".ts", ".mjs", ".h", ".cc", ".cpp", ".wgsl", ".py"],
);

/** Names that attract everything and say nothing. */
const bannedFileWords = [
  "utils",
  "util",
  "helpers",
  "helper",
  "common",
  "misc",
  "manager",
  "types",
];

test("no file or folder has a name that attracts everything", () => {
  const offenders = code.filter(({ path }) =>
    path
      .split("/")
      .map((part) => posix.parse(part).name)
      .some((name) => name.split(/[-_.]/).some((word) => bannedFileWords.includes(word))),
  );
  expect(offenders.map((file) => file.path)).toEqual([]);
});

/** Words for which the glossary has a better one. */
const rejectedWords: Record<string, string> = {
  numLocalExperts: "numExperts",
  topkIds: "expertIds",
  topkWeights: "combineWeights",
  hiddenDim: "hiddenSize or intermediateSize",
  routerLogits: "gateLogits",
  routingTable: "placement",
};

test("identifiers use the glossary's words", () => {
  const offenders = code
    .filter((file) => file.path.endsWith(".ts") && !file.path.startsWith("test/tidy/"))
    .flatMap((file) =>
      Object.entries(rejectedWords)
        .filter(([word]) => new RegExp(`\\b${word}\\b`).test(withoutComments(file.text)))
        .map(([word, better]) => `${file.path}: ${word}; write ${better}`),
    );
  expect(offenders).toEqual([]);
});

test("type names carry no I prefix and no Impl suffix", () => {
  const pattern = /\b(?:interface|class|type) (I[A-Z][a-z]\w*|\w+Impl)\b/g;
  const offenders = code
    .filter((file) => file.path.endsWith(".ts"))
    .flatMap((file) =>
      Array.from(withoutComments(file.text).matchAll(pattern), (m) => `${file.path}: ${m[1]}`),
    );
  expect(offenders).toEqual([]);
});

import { ConfigError, parseEnvironment } from "@octet/service";
import { expect, test } from "vitest";
import { expertWorkerSettings } from "./config.ts";

const needed = { OCTET_SHARD_DIR: "/shard" };

test.each([
  [undefined, true],
  ["true", true],
  ["false", false],
])("OCTET_FAST_PATH=%s means %s", (text, expected) => {
  const config = parseEnvironment(expertWorkerSettings, { ...needed, OCTET_FAST_PATH: text });
  expect(config.OCTET_FAST_PATH).toBe(expected);
});

test.each(["0", "no", "FALSE"])("OCTET_FAST_PATH=%s is refused", (text) => {
  const environment = { ...needed, OCTET_FAST_PATH: text };
  expect(() => parseEnvironment(expertWorkerSettings, environment)).toThrow(ConfigError);
});

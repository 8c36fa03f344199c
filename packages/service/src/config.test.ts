import { expect, test } from "vitest";
import { z } from "zod";
import { isLoopback } from "./config.ts";
import { addressSetting, booleanSetting, ConfigError, parseEnvironment } from "./index.ts";

const schema = z.strictObject({
  OCTET_LISTEN: addressSetting.default("127.0.0.1:1"),
  OCTET_THREADS: z.coerce.number().int().min(1),
  OCTET_VERIFY: booleanSetting.default(true),
});

test("variables of others are left alone, ours are parsed", () => {
  const config = parseEnvironment(schema, { PATH: "/bin", OCTET_THREADS: "4" });
  expect(config).toEqual({ OCTET_LISTEN: "127.0.0.1:1", OCTET_THREADS: 4, OCTET_VERIFY: true });
});

test("every problem is reported at once, by name, with what was found", () => {
  const environment = { OCTET_THREADS: "none", OCTET_LISTEN: "here", OCTET_THREDS: "4" };
  const parse = () => parseEnvironment(schema, environment);
  expect(parse).toThrow(ConfigError);
  for (const part of ["OCTET_THREADS", '"none"', "OCTET_LISTEN", '"here"', "OCTET_THREDS"]) {
    expect(parse).toThrow(part);
  }
});

test("an empty variable counts as not set", () => {
  expect(parseEnvironment(schema, { OCTET_THREADS: "2", OCTET_LISTEN: "" }).OCTET_LISTEN).toBe(
    "127.0.0.1:1",
  );
});

test("only addresses of this machine are loopback", () => {
  for (const address of ["127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1"]) {
    expect(isLoopback(address)).toBe(true);
  }
  for (const address of ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "example.org:1", "127.evil.org:1"]) {
    expect(isLoopback(address)).toBe(false);
  }
});

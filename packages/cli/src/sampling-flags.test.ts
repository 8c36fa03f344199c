import { Command } from "commander";
import { expect, test } from "vitest";
import { addSamplingFlags, toRequestParams } from "./sampling-flags.ts";

function parse(...args: string[]) {
  const command = addSamplingFlags(new Command().exitOverride().configureOutput({ writeErr() {} }));
  return command.parse(args, { from: "user" }).opts();
}

test("what is not given stays unset, so that the server's defaults hold", () => {
  expect(toRequestParams(parse())).toEqual({ sampling: {}, stop: { strings: [] } });
});

test("zero is not unset", () => {
  const { sampling } = toRequestParams(parse("--temperature", "0", "--seed", "0"));
  expect(sampling).toEqual({ temperature: 0, seed: 0n });
});

test("a flag wins over the command's default, which wins over nothing", () => {
  const defaults = { temperature: 0, maxTokens: 128 };
  expect(toRequestParams(parse(), defaults)).toMatchObject({
    sampling: { temperature: 0 },
    stop: { maxTokens: 128 },
  });
  expect(toRequestParams(parse("--temperature", "0.7"), defaults).sampling.temperature).toBe(0.7);
});

test("--stop may be given again", () => {
  expect(toRequestParams(parse("--stop", "a", "--stop", "b")).stop.strings).toEqual(["a", "b"]);
});

test("the largest seed survives, and what is no number is refused", () => {
  expect(parse("--seed", "18446744073709551615").seed).toBe(2n ** 64n - 1n);
  for (const args of [
    ["--seed", "18446744073709551616"],
    ["--seed", "-1"],
    ["--temperature", "warm"],
    ["--max-tokens", "1.5"],
    ["--top-k", ""],
  ]) {
    expect(() => parse(...args), args.join(" ")).toThrow();
  }
});

import { Command } from "commander";
import { expect, test } from "vitest";
import { addOutputFlags, addSamplingFlags, toRequestParams } from "./sampling-flags.ts";

function parse(...args: string[]) {
  const command = addSamplingFlags(
    addOutputFlags(new Command().exitOverride().configureOutput({ writeErr() {} })),
  );
  return command.parse(args, { from: "user" }).opts();
}

test("what is not given stays unset, so that the server's defaults hold", () => {
  expect(toRequestParams(parse())).toEqual({
    sampling: {},
    stop: { strings: [] },
    output: {},
  });
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

test("penalties, biases and allowed tokens go as they are", () => {
  const { sampling } = toRequestParams(
    parse(
      ...["--repetition-penalty", "1.1", "--presence-penalty", "-2", "--frequency-penalty", "0"],
      ...["--logit-bias", "7=-100", "--logit-bias", "0=2.5", "--allow-token", "7"],
      ...["--allow-token", "0"],
    ),
  );
  expect(sampling).toEqual({
    repetitionPenalty: 1.1,
    presencePenalty: -2,
    frequencyPenalty: 0,
    logitBias: { 7: -100, 0: 2.5 },
    allowedTokenIds: [7, 0],
  });
});

test("what ends an answer, and when", () => {
  const { stop } = toRequestParams(
    parse("--stop-token", "7", "--stop-token", "9", "--min-tokens", "0", "--include-stop"),
  );
  expect(stop).toEqual({ strings: [], tokenIds: [7, 9], minTokens: 0, includeStopString: true });
});

test("what is reported besides", () => {
  const { output } = toRequestParams(
    parse("--logprobs", "0", "--prompt-logprobs", "5", "--routed-experts"),
  );
  expect(output).toEqual({ topLogprobs: 0, promptTopLogprobs: 5, routedExperts: true });
});

test("the largest seed survives, and what is no number is refused", () => {
  expect(parse("--seed", "18446744073709551615").seed).toBe(2n ** 64n - 1n);
  for (const args of [
    ["--seed", "18446744073709551616"],
    ["--seed", "-1"],
    ["--temperature", "warm"],
    ["--max-tokens", "1.5"],
    ["--top-k", ""],
    ["--logit-bias", "7"],
    ["--logit-bias", "7=1=2"],
    ["--logit-bias", "x=1"],
    ["--logit-bias", "7="],
    ["--allow-token", "-1"],
  ]) {
    expect(() => parse(...args), args.join(" ")).toThrow();
  }
});

// lm-evaluation-harness asks the gateway for log-probabilities, and comes to transformers' scores.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundledModelDir } from "../cluster/service-cluster.ts";
import { GatewayCluster } from "../gateway/gateway-cluster.ts";
import { installLmEval, runProgram } from "./install-tools.ts";

const tasksFolder = join(import.meta.dirname, "lm-eval");
/** Both compute in f32, sums in another order; a score adds up some tens of tokens. */
const scoreErrorMax = 2e-3;

interface Expected {
  readonly answers: {
    readonly acc: number;
    readonly acc_norm: number;
    /** Of each item's choices, and whether each token was the likeliest. */
    readonly scores: readonly (readonly (readonly [score: number, isGreedy: boolean])[])[];
  };
  readonly texts: {
    readonly word_perplexity: number;
    readonly byte_perplexity: number;
    readonly bits_per_byte: number;
    readonly scores: readonly number[];
  };
}

interface Sample {
  readonly doc_id: number;
  /** Texts of what the harness was answered, one for each question. */
  readonly filtered_resps: readonly (readonly [score: string, isGreedy: string])[];
}

let folder: string;
let cluster: GatewayCluster;
let expected: Expected;
let metrics: Record<string, Record<string, number>>;
let samples: Record<string, Sample[]>;

beforeAll(async () => {
  const python = await installLmEval();
  folder = await mkdtemp(join(tmpdir(), "octet-lm-eval-"));
  expected = JSON.parse(await readFile(join(tasksFolder, "expected.json"), "utf8"));
  cluster = await GatewayCluster.start({ weightDtype: "f32" });
  await evaluate(python);
});
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

async function evaluate(python: string): Promise<void> {
  const model = {
    model: "octet-tiny",
    base_url: `http://${cluster.gateway.address}/v1/completions`,
    tokenizer: bundledModelDir,
    tokenizer_backend: "huggingface",
    add_bos_token: "True",
    num_concurrent: "4",
    max_retries: "1",
  };
  const modelArgs = Object.entries(model).map(([name, value]) => `${name}=${value}`);
  const tasks = ["--tasks", "octet_answers,octet_texts", "--include_path", tasksFolder];
  const output = ["--output_path", folder, "--log_samples"];
  const flags = ["--model", "local-completions", "--model_args", modelArgs.join(","), ...tasks];
  const { code, output: said } = await runProgram(
    [python, "-m", "lm_eval", "run", ...flags, ...output],
    {
      cwd: tasksFolder, // data files are named relative to it
      env: { ...process.env, HF_HOME: folder, HF_HUB_OFFLINE: "1", PYTHONDONTWRITEBYTECODE: "1" },
      timeout: 600_000,
    },
  );
  expect(code, said).toBe(0);
  const [results] = await readOutput("results_");
  metrics = JSON.parse(results!).results;
  samples = {};
  for (const task of ["octet_answers", "octet_texts"]) {
    const [lines] = await readOutput(`samples_${task}_`);
    const all: Sample[] = lines!
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    samples[task] = all.sort((a, b) => a.doc_id - b.doc_id);
  }
}

/** What the harness wrote: in a folder named after the model, files with a date in their names. */
async function readOutput(prefix: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true });
  const wanted = files.filter((file) => file.split("/").at(-1)!.startsWith(prefix));
  return Promise.all(wanted.map((file) => readFile(join(folder, file), "utf8")));
}

test("it chooses the answers that transformers chooses", () => {
  const { acc, acc_norm } = expected.answers;
  expect(metrics.octet_answers).toMatchObject({ "acc,none": acc, "acc_norm,none": acc_norm });
});

test("every answer has transformers' log-likelihood, and is greedy where it was", () => {
  const found = samples.octet_answers!.map(({ filtered_resps }) => filtered_resps);
  expect(found).toHaveLength(expected.answers.scores.length);
  expected.answers.scores.forEach((choices, item) => {
    expect(found[item]).toHaveLength(choices.length);
    choices.forEach(([score, isGreedy], choice) => {
      const [foundScore, foundGreedy] = found[item]![choice]!;
      expect(Math.abs(Number(foundScore) - score)).toBeLessThan(scoreErrorMax);
      expect(foundGreedy).toBe(isGreedy ? "True" : "False");
    });
  });
});

test("whole texts are as likely as transformers finds them", () => {
  const { scores, ...perplexities } = expected.texts;
  for (const [name, value] of Object.entries(perplexities)) {
    expect(metrics.octet_texts![`${name},none`]).toBeCloseTo(value, 4);
  }
  const found = samples.octet_texts!.map(({ filtered_resps }) => Number(filtered_resps[0]));
  expect(found).toHaveLength(scores.length);
  scores.forEach((score, item) => {
    expect(Math.abs(found[item]! - score)).toBeLessThan(scoreErrorMax);
  });
});

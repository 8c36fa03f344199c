// What a gateway counts of known requests, under its own names and vLLM's.
import { afterAll, beforeAll, expect, test } from "vitest";
import { GatewayCluster } from "./gateway-cluster.ts";

let cluster: GatewayCluster;

beforeAll(async () => {
  cluster = await GatewayCluster.start();
}, 120_000);
afterAll(() => cluster?.[Symbol.asyncDispose]());

const label = 'model_name="octet-tiny"';

/** Every sample, by its name and labels as they are printed. */
async function scrape(): Promise<Map<string, number>> {
  const { adminAddress } = cluster.gateway.lines.find(({ event }) => event === "listening")!.fields;
  const text = await (await fetch(`http://${adminAddress}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

interface Answered {
  readonly usage: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly prompt_tokens_details: { readonly cached_tokens: number };
  };
}

async function ask(body: object): Promise<Answered["usage"]> {
  const common = { temperature: 1, seed: 3, ignore_eos: true };
  const response = await cluster.post("/v1/completions", { ...common, ...body });
  expect(response.status).toBe(200);
  return ((await response.json()) as Answered).usage;
}

test("each request is counted once, with its tokens, whoever asks for the numbers", async () => {
  const one = await ask({ prompt: "Once upon a time there was a little dog.", max_tokens: 7 });
  const three = await ask({ prompt: "The dog", max_tokens: 5, n: 3 });
  const two = await ask({ prompt: ["One", "Two"], max_tokens: 2 });
  const refused = await cluster.post("/v1/completions", { prompt: "a", temperature: -1 });
  expect(refused.status).toBe(400);
  expect([one, three, two].map((usage) => usage.completion_tokens)).toEqual([7, 15, 4]);

  const found = await scrape();
  const ours = (name: string) => found.get(`octet_gateway_${name}{${label}}`);
  const vllm = (name: string) => found.get(`vllm:${name}{${label},engine="0"}`);
  const promptTokens = one.prompt_tokens + three.prompt_tokens + two.prompt_tokens;
  for (const read of [ours, vllm]) {
    expect(read("prompt_tokens_total")).toBe(promptTokens);
    expect(read("generation_tokens_total")).toBe(26);
    expect(read("time_to_first_token_seconds_count")).toBe(6); // one for each answer
  }
  expect(ours("inter_token_seconds_count")).toBe(6);
  expect(ours("answer_seconds_count")).toBe(6);
  const rejected = 'octet_gateway_requests_rejected_total{reason="invalid_parameter"}';
  expect(found.get(rejected)).toBe(1);
  for (const name of [
    "inter_token_latency_seconds",
    "request_time_per_output_token_seconds",
    "e2e_request_latency_seconds",
    "request_queue_time_seconds",
    "request_prefill_time_seconds",
    "request_decode_time_seconds",
    "request_inference_time_seconds",
    "request_prompt_tokens",
    "request_generation_tokens",
  ]) {
    expect(vllm(`${name}_count`), name).toBe(6);
  }
  expect(vllm("request_generation_tokens_sum")).toBe(26);
  // Of each prompt, four in all: its answers, what they may have and what the longest has.
  expect(vllm("request_params_n_count")).toBe(4);
  expect(vllm("request_params_n_sum")).toBe(1 + 3 + 1 + 1);
  expect(vllm("request_params_max_tokens_sum")).toBe(7 + 5 + 2 + 2);
  expect(vllm("request_max_num_generation_tokens_sum")).toBe(7 + 5 + 2 + 2);
  const ended = `vllm:request_success_total{${label},engine="0",finished_reason="length"}`;
  expect(found.get(ended)).toBe(6);
  for (const name of ["num_requests_running", "num_requests_waiting", "kv_cache_usage_perc"]) {
    expect(vllm(name), name).toBe(0);
  }
  expect(vllm("num_preemptions_total")).toBe(0);
});

test("what the prefix cache found is what answers say", async () => {
  const before = await scrape();
  const prompt = "hello there ".repeat(40);
  const usages = [await ask({ prompt, max_tokens: 1 }), await ask({ prompt, max_tokens: 1 })];
  const after = await scrape();
  const rise = (name: string) => {
    const series = `vllm:${name}{${label},engine="0"}`;
    return after.get(series)! - before.get(series)!;
  };
  const cached = usages.map((usage) => usage.prompt_tokens_details.cached_tokens);
  expect(cached[0]).toBe(0);
  expect(cached[1]).toBeGreaterThan(0);
  expect(rise("prefix_cache_hits_total")).toBe(cached[1]);
  expect(rise("prefix_cache_queries_total")).toBe(2 * usages[0]!.prompt_tokens);
  const { data } = (await (await cluster.get("/v1/cluster")).json()) as {
    data: { kv_cache: { blocks_total: number } }[];
  };
  const blocks = `block_size="16",num_gpu_blocks="${data[0]!.kv_cache.blocks_total}"`;
  expect(after.get(`vllm:cache_config_info{${label},engine="0",${blocks}}`)).toBe(1);
});

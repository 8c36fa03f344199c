// 32,768 tokens of context through real processes: coordinator, workers, gateway.
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  checkHealth,
  type Failure,
  type GenerateRequestSchema,
  type GenerateResponse,
  InferenceService,
} from "@octet/protocol";
import { createClient, fromServiceError, type GrpcClient } from "@octet/protocol/grpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { residentBytes } from "../faults/resident-memory.ts";
import {
  answerInOneProcess,
  contextTokens,
  type LongAnswer,
  type LongContextModel,
  textOfTokens,
  writeLongContextModel,
} from "./long-context-model.ts";
import { startGateway, type TestedService } from "./service-cluster.ts";
import { type SmallCluster, startSmallCluster } from "./small-cluster.ts";

const promptTokens = 32_000;
/** Up to the last position. */
const maxTokens = contextTokens - promptTokens;
const blockTokens = 16;
const callMs = { deadlineMs: 600_000 };
/** A machine that has much else to do takes a minute for what takes seconds. */
const testMsMax = 600_000;
/** Beyond what its few megabytes of KV cache take, for all that comes and goes meanwhile. */
const growthBytesMax = 256 * 1024 * 1024;

let model: LongContextModel;
let cluster: SmallCluster;
let gateway: TestedService;
let client: GrpcClient<typeof InferenceService>;
let text: string;
let promptTokenIds: Int32Array;
/** What whoever computes it must say. */
let expected: LongAnswer;

beforeAll(async () => {
  model = await writeLongContextModel();
  cluster = await startSmallCluster({
    sourceDir: model.dir,
    modelName: "long",
    // Of one sequence, so that the second has to wait.
    settings: { OCTET_KV_TOKENS: `${contextTokens}` },
  });
  gateway = await startGateway([cluster.address]);
  client = createClient(InferenceService, cluster.address);
  text = textOfTokens(model.tokenizer, promptTokens, 0);
  promptTokenIds = model.tokenizer.encode(text, { addBos: true });
  expected = await answerInOneProcess(cluster.index, { promptTokenIds, maxTokens }, 1000);
}, testMsMax);

afterAll(async () => {
  client?.close();
  await gateway?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
  await model?.[Symbol.asyncDispose]();
});

type GenerateInput = Exclude<MessageInitShape<typeof GenerateRequestSchema>, { $typeName: string }>;
type Prompt = NonNullable<GenerateInput["input"]>;

/** A greedy answer, and what it says of how it was computed. */
async function generate(input: Prompt, request: Omit<GenerateInput, "input"> = {}) {
  const tokenIds: number[] = [];
  const logprobs: number[] = [];
  let cachedTokens = 0;
  const events: AsyncIterable<GenerateResponse> = client.generate(
    {
      input,
      sampling: { temperature: 0 },
      stop: { maxTokens, ignoreEos: true },
      output: { topLogprobs: 0 },
      details: true,
      ...request,
    },
    callMs,
  );
  for await (const { event } of events) {
    if (event.case === "delta") {
      tokenIds.push(...event.value.tokenIds);
      logprobs.push(...event.value.logprobs.map(({ chosen }) => chosen!.logprob));
    } else if (event.case === "finished") cachedTokens = event.value.cachedPromptTokens;
  }
  return { tokenIds, logprobs, cachedTokens };
}

interface Completion {
  readonly choices: readonly { readonly text: string; readonly finish_reason: string }[];
  readonly usage: object;
  readonly error: { readonly code: string; readonly message: string };
}

async function complete(request: object) {
  const response = await fetch(`http://${gateway.address}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "long", temperature: 0, ignore_eos: true, ...request }),
  });
  // What is wrong with it shows when it is looked at.
  return { status: response.status, body: (await response.json()) as Completion };
}

async function failureOf(input: Prompt): Promise<Failure | undefined> {
  try {
    for await (const _ of client.generate({ input }, callMs));
  } catch (error) {
    return fromServiceError(error);
  }
  throw new Error("expected a failure");
}

/** How often the coordinator says that it lives until `work` is done, asked again and again. */
async function countHealthAnswers(work: Promise<unknown>): Promise<number> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  let count = 0;
  while (!isDone) {
    expect(await checkHealth(cluster.address, "", { deadlineMs: 20_000 })).toBe(true);
    count += 1;
  }
  await done;
  return count;
}

test(
  "a text of 32,000 tokens is answered up to the last position, as in one process",
  async () => {
    expect(Buffer.byteLength(text)).toBeGreaterThan(130_000);
    expect(promptTokenIds).toHaveLength(promptTokens);
    const before = residentBytes(cluster.coordinator.process.pid!);
    const answering = generate({ case: "text", value: text });
    // It takes 63 steps of prompt and 767 of one token: health is told between them.
    expect(await countHealthAnswers(answering)).toBeGreaterThan(20);
    const { cachedTokens, tokenIds, logprobs } = await answering;
    expect(cachedTokens).toBe(0);
    expect(tokenIds).toEqual(expected.tokenIds);
    expect(tokenIds).toHaveLength(maxTokens);
    expect(logprobs).toEqual(expected.logprobs.map(Math.fround));
    const growth = residentBytes(cluster.coordinator.process.pid!) - before;
    expect(growth).toBeLessThan(growthBytesMax);
  },
  testMsMax,
);

test(
  "the same as token ids over HTTP finds it computed, all but the last block",
  async () => {
    const prompt = Array.from(promptTokenIds);
    const { status, body } = await complete({ prompt, max_tokens: maxTokens });
    expect(status).toBe(200);
    const decoder = model.tokenizer.createStreamDecoder({ continuesText: true });
    const pieces = expected.tokenIds.map((id) => decoder.push(id));
    expect(body.choices[0]?.text).toBe(pieces.join("") + decoder.flush());
    expect(body.choices[0]?.finish_reason).toBe("length");
    expect(body.usage).toMatchObject({
      prompt_tokens: promptTokens,
      completion_tokens: maxTokens,
      total_tokens: contextTokens,
      prompt_tokens_details: { cached_tokens: promptTokens - blockTokens },
    });
  },
  testMsMax,
);

test(
  "one token more is refused, with both lengths, over gRPC and HTTP",
  async () => {
    const bothLengths = /has 32768 tokens and the context 32768/;
    const ids = Array.from({ length: contextTokens }, () => 5);
    for (const input of [
      { case: "tokens", value: { ids } },
      { case: "text", value: textOfTokens(model.tokenizer, contextTokens, 0) },
    ] as const) {
      const failure = await failureOf(input);
      expect(failure?.reason).toBe("context_length_exceeded");
      expect(failure?.metadata).toMatchObject({ limit: "32767", found: "32768" });
      expect(failure?.message).toMatch(bothLengths);
      const prompt = input.case === "tokens" ? ids : input.value;
      const { status, body } = await complete({ prompt, max_tokens: 1 });
      expect(status).toBe(400);
      expect(body.error.code).toBe("context_length_exceeded");
      expect(body.error.message).toMatch(bothLengths);
    }
    const { status, body } = await complete({ prompt: text, max_tokens: maxTokens + 1 });
    expect(status).toBe(400);
    expect(body.error.message).toMatch(/has 32000 tokens .* asks for 769 more.* has 32768/);
  },
  testMsMax,
);

test(
  "who is urgent takes the blocks of who is not, and both say what each says alone",
  async () => {
    const short = { stop: { maxTokens: 16, ignoreEos: true }, scheduling: { prefixCache: false } };
    const urgentIds = Int32Array.from(promptTokenIds, (id, i) => promptTokenIds.at(-i) ?? id);
    const urgentAlone = await answerInOneProcess(
      cluster.index,
      { promptTokenIds: urgentIds, maxTokens: 16 },
      500,
    );
    const scheduler = async () => (await client.getClusterState({}, callMs)).state!.scheduler!;
    const patient = generate(
      { case: "text", value: text },
      { ...short, scheduling: { prefixCache: false, priority: 1 } },
    );
    while ((await scheduler()).running === 0);
    const urgent = generate({ case: "tokens", value: { ids: Array.from(urgentIds) } }, short);
    expect((await urgent).tokenIds).toEqual(urgentAlone.tokenIds);
    expect((await patient).tokenIds).toEqual(expected.tokenIds.slice(0, 16));
    expect(await scheduler()).toMatchObject({ running: 0, waiting: 0, preemptions: 1n });
    const { kvCache } = (await client.getClusterState({}, callMs)).state!;
    expect(kvCache!.blocksFree + kvCache!.blocksCached).toBe(kvCache!.blocksTotal);
  },
  testMsMax,
);

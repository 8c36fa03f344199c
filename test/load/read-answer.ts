// Reads an answer to its end: streamed or not, it has to be the same.
import type { LoadRequest } from "./load-requests.ts";

/** One choice, put together from whatever parts it came in. */
export interface ReadChoice {
  readonly text: string;
  readonly finishReason: string;
  /** Ids, names and arguments. */
  readonly toolCalls: readonly unknown[];
  /** What is said of each token, if it was asked for. */
  readonly logprobs: readonly unknown[];
}

/** An answer that was read to its end. */
export interface ReadAnswer {
  readonly choices: readonly ReadChoice[];
  readonly completionTokens: number;
  /** From the request to the first text or call, and to the end, in ms. */
  readonly firstTextMs: number;
  readonly wholeMs: number;
}

/** Asks and reads the answer whole. */
export async function readAnswer(
  baseUrl: string,
  { path, body }: LoadRequest,
  options: { readonly stream: boolean; readonly user: string },
): Promise<ReadAnswer> {
  const startedMs = performance.now();
  const response = await postJson(baseUrl + path, { ...body, ...options });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  const collected = new CollectedAnswer(startedMs);
  if (options.stream) await collectStream(response, collected);
  else collected.push((await response.json()) as Chunk);
  return collected.end();
}

/** POSTs JSON. */
export function postJson(url: string, body: object, signal?: AbortSignal): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: signal ?? null,
  });
}

interface Chunk {
  readonly choices: readonly ChunkChoice[];
  readonly usage?: { readonly completion_tokens: number };
  readonly error?: { readonly message: string };
}

interface ChunkChoice {
  readonly index: number;
  readonly text?: string;
  readonly delta?: ChunkMessage;
  readonly message?: ChunkMessage;
  readonly logprobs?: ChunkLogprobs | null;
  readonly finish_reason: string | null;
}

interface ChunkMessage {
  readonly content?: string | null;
  readonly tool_calls?: readonly { readonly id: string; readonly function: object }[];
}

/** Of a chat, or of a completion. */
type ChunkLogprobs =
  | { readonly content: readonly unknown[] }
  | {
      readonly tokens: readonly string[];
      readonly token_logprobs: readonly number[];
      readonly top_logprobs: readonly unknown[];
      readonly text_offset: readonly number[];
    };

class CollectedAnswer {
  readonly #startedMs: number;
  readonly #choices = new Map<number, ReadChoice>();
  #completionTokens = 0;
  #firstTextMs: number | undefined;

  constructor(startedMs: number) {
    this.#startedMs = startedMs;
  }

  push({ choices, usage, error }: Chunk): void {
    if (error !== undefined) throw new Error(`in the stream: ${error.message}`);
    for (const choice of choices) this.#append(choice);
    this.#completionTokens = usage?.completion_tokens ?? this.#completionTokens;
  }

  end(): ReadAnswer {
    const wholeMs = performance.now() - this.#startedMs;
    const byIndex = [...this.#choices].toSorted(([a], [b]) => a - b);
    return {
      choices: byIndex.map(([, choice]) => choice),
      completionTokens: this.#completionTokens,
      firstTextMs: this.#firstTextMs ?? wholeMs,
      wholeMs,
    };
  }

  #append({ index, text, delta, message, logprobs, finish_reason }: ChunkChoice): void {
    const said = message ?? delta;
    const more = text ?? said?.content ?? "";
    const calls = (said?.tool_calls ?? []).map(({ id, function: called }) => ({ id, ...called }));
    if (more !== "" || calls.length > 0) this.#firstTextMs ??= performance.now() - this.#startedMs;
    const before = this.#choices.get(index);
    this.#choices.set(index, {
      text: (before?.text ?? "") + more,
      finishReason: finish_reason ?? before?.finishReason ?? "",
      toolCalls: [...(before?.toolCalls ?? []), ...calls],
      logprobs: [...(before?.logprobs ?? []), ...ofEachToken(logprobs)],
    });
  }
}

function ofEachToken(logprobs: ChunkLogprobs | null | undefined): readonly unknown[] {
  if (!logprobs) return [];
  if ("content" in logprobs) return logprobs.content;
  const { tokens, token_logprobs, top_logprobs, text_offset } = logprobs;
  return tokens.map((token, i) => [token, token_logprobs[i], top_logprobs[i], text_offset[i]]);
}

async function collectStream(response: Response, collected: CollectedAnswer): Promise<void> {
  let isDone = false;
  for await (const data of dataOf(response)) {
    if (data === "[DONE]") isDone = true;
    else collected.push(JSON.parse(data) as Chunk);
  }
  if (!isDone) throw new Error("the stream ended without [DONE]");
}

async function* dataOf(response: Response): AsyncGenerator<string> {
  let pending = "";
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (pending + part).split("\n\n");
    pending = blocks.pop()!;
    for (const block of blocks) if (block.startsWith("data: ")) yield block.slice("data: ".length);
  }
}

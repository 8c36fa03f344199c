// One client of a load test: asks, reads or leaves, asks again.
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { LoadRequest } from "./load-requests.ts";

/** An answer that was read to its end. */
export interface ReadAnswer {
  readonly text: string;
  readonly finishReason: string;
  readonly completionTokens: number;
  /** From the request to the first text, and to the end, in ms. */
  readonly firstTextMs: number;
  readonly wholeMs: number;
}

/** Asks and reads the answer whole; streamed or not, it is the same answer. */
export async function readAnswer(
  baseUrl: string,
  { path, body }: LoadRequest,
  options: { readonly stream: boolean; readonly user: string },
): Promise<ReadAnswer> {
  const startedMs = performance.now();
  const asked = { ...body, ...options };
  const response = await post(baseUrl + path, asked, undefined);
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  if (!options.stream) {
    const whole = (await response.json()) as Chunk;
    const [choice] = whole.choices;
    const elapsedMs = performance.now() - startedMs;
    return {
      text: choice!.text ?? choice!.message?.content ?? "",
      finishReason: choice!.finish_reason!,
      completionTokens: whole.usage!.completion_tokens,
      firstTextMs: elapsedMs,
      wholeMs: elapsedMs,
    };
  }
  return readStream(response, startedMs);
}

interface Chunk {
  readonly choices: readonly {
    readonly text?: string;
    readonly delta?: { readonly content?: string };
    readonly message?: { readonly content: string };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: { readonly completion_tokens: number };
  readonly error?: { readonly message: string };
}

async function readStream(response: Response, startedMs: number): Promise<ReadAnswer> {
  let [text, finishReason, completionTokens, isDone] = ["", "", 0, false];
  let firstTextMs: number | undefined;
  for await (const data of dataOf(response)) {
    if (data === "[DONE]") {
      isDone = true;
      continue;
    }
    const chunk = JSON.parse(data) as Chunk;
    if (chunk.error !== undefined) throw new Error(`in the stream: ${chunk.error.message}`);
    for (const choice of chunk.choices) {
      const piece = choice.text ?? choice.delta?.content ?? "";
      if (piece !== "") firstTextMs ??= performance.now() - startedMs;
      text += piece;
      finishReason = choice.finish_reason ?? finishReason;
    }
    completionTokens = chunk.usage?.completion_tokens ?? completionTokens;
  }
  if (!isDone) throw new Error("the stream ended without [DONE]");
  const wholeMs = performance.now() - startedMs;
  return { text, finishReason, completionTokens, firstTextMs: firstTextMs ?? wholeMs, wholeMs };
}

async function* dataOf(response: Response): AsyncGenerator<string> {
  let pending = "";
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (pending + part).split("\n\n");
    pending = blocks.pop()!;
    for (const block of blocks) if (block.startsWith("data: ")) yield block.slice("data: ".length);
  }
}

/** Asks, and aborts: during a stream after some chunks, or before there is any answer. */
export async function abortAnswer(
  baseUrl: string,
  { path, body }: LoadRequest,
  options: { readonly stream: boolean; readonly user: string; readonly afterMs: number },
): Promise<void> {
  const { afterMs, ...asked } = options;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), afterMs);
  try {
    const response = await post(baseUrl + path, { ...body, ...asked }, abort.signal);
    for await (const _ of response.body!);
  } catch (error) {
    if (!abort.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Sends a request over a connection that then breaks, without a word. */
export async function breakConnection(
  baseUrl: string,
  { path, body }: LoadRequest,
  options: { readonly user: string; readonly afterMs: number },
): Promise<void> {
  const { hostname, port } = new URL(baseUrl);
  const json = JSON.stringify({ ...body, stream: true, user: options.user });
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("error", () => {}); // that is what it is for
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(json)}\r\n\r\n${json}`,
  );
  await delay(options.afterMs);
  socket.resetAndDestroy();
}

function post(url: string, body: object, signal: AbortSignal | undefined): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: signal ?? null,
  });
}

// Clients that do not stay for their answer.
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { LoadRequest } from "./load-requests.ts";
import { postJson } from "./read-answer.ts";

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
    const response = await postJson(baseUrl + path, { ...body, ...asked }, abort.signal);
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

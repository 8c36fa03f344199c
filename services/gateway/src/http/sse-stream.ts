// Server-sent events over one response: JSON chunks, comments as pings, [DONE], and an end.
import { once } from "node:events";
import type { ServerResponse } from "node:http";

/** How a stream behaves while nothing happens. */
export interface SseOptions {
  /** A comment is sent this long after the last bytes, in ms. */
  readonly pingMs: number;
  /** A client that reads nothing for this long is cut off, in ms. */
  readonly stallMs: number;
}

/** Writes events; a client that reads slowly holds back only who awaits `send`. */
export class SseStream {
  readonly #response: ServerResponse;
  readonly #stallMs: number;
  readonly #pings: NodeJS.Timeout;

  /** Sends the headers at once. @param headers beside those of every stream */
  constructor(
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
    options: SseOptions,
  ) {
    this.#response = response;
    this.#stallMs = options.stallMs;
    response.writeHead(200, {
      ...headers,
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      connection: "keep-alive",
      // nginx would collect what it should pass on.
      "x-accel-buffering": "no",
    });
    response.flushHeaders();
    this.#pings = setInterval(() => this.#ping(), options.pingMs);
    response.once("close", () => clearInterval(this.#pings));
  }

  /** Resolves when the client can take more; at once if it is gone. */
  async send(chunk: object): Promise<void> {
    await this.#write(`data: ${JSON.stringify(chunk)}\n\n`);
  }

  /** Ends the stream as clients expect. Resolves when all of it was sent, or the client is gone. */
  async end(): Promise<void> {
    clearInterval(this.#pings);
    await this.#write("data: [DONE]\n\n");
    if (this.#response.destroyed) return;
    this.#response.end();
    if (!this.#response.writableFinished) await this.#until("finish");
  }

  async #write(text: string): Promise<void> {
    const response = this.#response;
    if (response.destroyed || response.writableEnded) return;
    this.#pings.refresh();
    if (!response.write(text)) await this.#until("drain");
  }

  /** Until the client has read enough for the event to come; one that does not is cut off. */
  async #until(event: "drain" | "finish"): Promise<void> {
    const response = this.#response;
    const timer = setTimeout(() => response.destroy(), this.#stallMs);
    try {
      await Promise.race([once(response, event), once(response, "close")]);
    } catch {
      response.destroy(); // a broken connection; "close" tells whoever listens
    } finally {
      clearTimeout(timer);
    }
  }

  #ping(): void {
    // What is still unread keeps the connection alive by itself.
    if (!this.#response.writableNeedDrain && !this.#response.destroyed) {
      this.#response.write(": ping\n\n");
    }
  }
}

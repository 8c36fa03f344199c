// An answer as server-sent events, in the one shape that every client we know reads.
import { setTimeout as delay } from "node:timers/promises";
import type { GenerateFinished, PrefillProgress } from "@octet/protocol";
import { ApiError, toErrorBody } from "../http/api-error.ts";
import type { SseStream } from "../http/sse-stream.ts";
import type { AnswerEvent } from "../upstream/model-upstream.ts";
import { fromUpstream } from "../upstream/upstream-error.ts";
import { type AnswerPlan, countChoices, envelopeOf } from "./answer-plan.ts";
import { type ChoiceReader, readersFor, readersOf } from "./choice-reader.ts";
import { type AnswerRun, runAnswer, toAnswerEnd } from "./run-answer.ts";
import { toTimings, toUsage } from "./usage.ts";

/** What a stream needs besides its plan. */
export interface StreamBounds extends AnswerRun {
  /** Longest to wait for the first sign of life before the stream begins, in ms. */
  readonly openAfterMs: number;
}

/**
 * Streams all choices, as their tokens come. A failure that is known before the stream begins is
 * thrown, so that it has a status of its own; a later one is the stream's last chunk.
 *
 * @param open begins the stream: no status can be told any more
 * @throws {ApiError} before `open` was called
 */
export async function streamAnswers(
  plan: AnswerPlan,
  bounds: StreamBounds,
  open: () => SseStream,
): Promise<ApiError | undefined> {
  const stop = new AbortController();
  const signal = AbortSignal.any([bounds.signal, stop.signal]);
  const runs = plan.requests.map((_, index) => runAnswer(plan, index, { ...bounds, signal }));
  let stream: AnswerStream | undefined;
  try {
    const firsts = runs.map((run) => run.next());
    await Promise.race([Promise.all(firsts), delay(bounds.openAfterMs, undefined, { signal })]);
    const opened = new AnswerStream(plan, open());
    stream = opened;
    await Promise.all(runs.map((run, index) => opened.relay(index, firsts[index]!, run)));
    await opened.finish();
    return undefined;
  } catch (error) {
    // Why it was ended here says more than that it was cancelled there.
    const { reason } = bounds.signal;
    const failure = fromUpstream(reason instanceof ApiError ? reason : error);
    if (stream === undefined) throw failure;
    await stream.fail(failure);
    return failure;
  } finally {
    // Those that have not been read to their end: a failure of one is the failure of all.
    stop.abort();
    for (const run of runs) run.return(undefined).catch(() => {});
  }
}

class AnswerStream {
  readonly #plan: AnswerPlan;
  readonly #sse: SseStream;
  readonly #finished: GenerateFinished[] = [];
  readonly #unfinished: Set<number>;
  readonly #openedMs = performance.now();
  #warnings: object;

  constructor(plan: AnswerPlan, sse: SseStream) {
    this.#plan = plan;
    this.#sse = sse;
    this.#unfinished = new Set(Array(countChoices(plan)).keys());
    this.#warnings = plan.warnings.length > 0 ? { warnings: plan.warnings } : {};
  }

  async relay(
    index: number,
    first: Promise<IteratorResult<AnswerEvent, void>>,
    rest: AsyncIterable<AnswerEvent>,
  ): Promise<void> {
    const { format } = this.#plan;
    const readers = readersOf(this.#plan, index);
    for (const reader of readers) {
      await this.#send(format.opening(reader.index));
      for (const part of reader.begin()) await this.#send(format.delta(reader.index, part));
    }
    const pass = async (event: AnswerEvent) => {
      for (const reader of readersFor(readers, event)) await this.#pass(reader, event);
    };
    const { value } = await first;
    if (value) await pass(value);
    for await (const event of rest) await pass(event);
  }

  async finish(): Promise<void> {
    const { streamUsage } = this.#plan;
    if (streamUsage === "chunk" || streamUsage === "every") {
      await this.#sse.send({ ...this.#envelope(), choices: [], usage: toUsage(this.#finished) });
    }
    await this.#sse.end();
  }

  /** A chunk like any other to clients that look at choices, and an error to those that look for it. */
  async fail(failure: ApiError): Promise<void> {
    const end = { finishReason: "error", stopReason: null } as const;
    const choices = [...this.#unfinished].map((index) => this.#plan.format.ending(index, end));
    await this.#sse.send({ ...this.#envelope(), choices, error: toErrorBody(failure).error });
    await this.#sse.end();
  }

  async #pass(reader: ChoiceReader, event: AnswerEvent): Promise<void> {
    const { format } = this.#plan;
    const { index } = reader;
    for (const part of reader.read(event)) await this.#send(format.delta(index, part));
    if (event.case === "progress") {
      const prompt_progress = this.#toProgress(event.value);
      await this.#send(format.delta(index, { text: "" }), { prompt_progress });
    }
    if (event.case === "finished") await this.#finishOne(reader, event.value);
  }

  /** llama-server's names. */
  #toProgress({ promptTokens, cachedTokens, computedTokens }: PrefillProgress) {
    return {
      total: promptTokens,
      cache: cachedTokens,
      processed: computedTokens,
      time_ms: Math.round(performance.now() - this.#openedMs),
    };
  }

  async #finishOne(reader: ChoiceReader, finished: GenerateFinished): Promise<void> {
    const { index } = reader;
    this.#finished.push(finished);
    this.#unfinished.delete(index);
    const isLast = this.#unfinished.size === 0;
    const usage = isLast && this.#plan.streamUsage === "finish";
    const ending = this.#plan.format.ending(index, toAnswerEnd(finished));
    await this.#send(
      { ...ending, ...reader.extras(finished) },
      {
        ...reader.extrasOfAnswer(),
        ...(usage ? { usage: toUsage(this.#finished) } : {}),
        ...(isLast ? { timings: toTimings(this.#finished) } : {}),
      },
    );
  }

  async #send(choice: object, members: object = {}): Promise<void> {
    const warnings = this.#warnings;
    this.#warnings = {};
    const usage = this.#plan.streamUsage === "every" ? { usage: toUsage(this.#finished) } : {};
    await this.#sse.send({
      ...this.#envelope(),
      choices: [choice],
      ...usage,
      ...members,
      ...warnings,
    });
  }

  #envelope() {
    return envelopeOf(this.#plan, this.#plan.format.chunkObject);
  }
}

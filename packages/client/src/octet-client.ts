// The client: its channels, and one method for each of the service's.
import { create } from "@bufbuild/protobuf";
import type { ChannelCredentials } from "@grpc/grpc-js";
import {
  type ChatDelta,
  ChatRequestSchema,
  type ClusterState,
  type GenerateDelta,
  InferenceService,
  type Model,
  type WatchClusterStateResponse,
} from "@octet/protocol";
import { type CallBounds, createClient } from "@octet/protocol/grpc-client";
import { Answer } from "./answer.ts";
import { type Asking, askUntilAnswered, streamAnswer } from "./answer-stream.ts";
import { Call, type CallContext, type CallOptions, type Endpoint, type Retry } from "./call.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { DeltaParts } from "./delivered-answer.ts";
import type { AnswerEvent } from "./delivered-stream.ts";
import { ClientClosedError } from "./errors.ts";
import {
  type ChatParams,
  type GenerateParams,
  type TokenizeParams,
  toGenerateRequest,
  toTokenizeRequest,
  withSeed,
} from "./prompt.ts";
import { defaultRetryPolicy, type RetryPolicy } from "./retry-schedule.ts";

/** Longest that a call without a deadline of its own may take: streams, and all others. */
const answerDeadlineMs = 10 * 60 * 1000;
const unaryDeadlineMs = 30_000;
const watchDeadlineMs = 24 * 60 * 60 * 1000;

/**
 * How a channel looks for a coordinator that went away: soon, since retries must not find the
 * channel itself waiting. gRPC's own choice is 1 s, growing to two minutes.
 */
const reconnectOptions = {
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 2_000,
} as const;

/** How a client behaves; every setting has a default. */
export interface OctetClientOptions {
  /** Default: no encryption. */
  readonly credentials?: ChannelCredentials;
  /** Over {@link defaultRetryPolicy}. `attemptsMax: 1` with one address means no retries. */
  readonly retry?: Partial<RetryPolicy>;
  /** For calls that name none, in ms. Default: 10 minutes for answers, 30 s for the rest. */
  readonly deadlineMs?: number;
  /** Told of every retry, for logs and counts. */
  readonly onRetry?: (retry: Retry) => void;
  /** For tests: time, and numbers in [0, 1). */
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** Bounds of an answer. */
export interface AnswerOptions extends CallOptions {
  /**
   * Whether a stream that broke after its first delta is asked for again and joined where it broke.
   * Default true: the same seed makes the same tokens, and what comes again is compared.
   */
  readonly resume?: boolean;
}

/**
 * A client of one model's coordinators. Several addresses must serve the same model: when one
 * cannot be reached, the next is asked. Channels connect at the first call and are shared by all.
 */
export class OctetClient {
  readonly #context: CallContext;
  readonly #deadlineMs: number | undefined;
  readonly #calls = new Set<Call>();
  #isClosed = false;

  /** @param addresses host:port of a coordinator, or of several, the one to ask first in front */
  constructor(addresses: string | readonly string[], options: OctetClientOptions = {}) {
    const list = typeof addresses === "string" ? [addresses] : [...addresses];
    if (list.length === 0) throw new RangeError("a client needs at least one address, host:port");
    const credentials = options.credentials && { credentials: options.credentials };
    const connect = (address: string): Endpoint => ({
      address,
      service: createClient(InferenceService, address, {
        ...credentials,
        channel: reconnectOptions,
      }),
    });
    this.#deadlineMs = options.deadlineMs;
    this.#context = {
      endpoints: list.map(connect),
      retry: { ...defaultRetryPolicy, ...options.retry },
      clock: options.clock ?? systemClock,
      random: options.random ?? Math.random,
      onRetry: options.onRetry ?? (() => {}),
      preferred: { index: 0 },
    };
  }

  /** Asks for an answer; see {@link Answer} for how to read it. */
  generate(params: GenerateParams, options: AnswerOptions = {}): Answer<GenerateDelta> {
    const request = toGenerateRequest(params);
    return this.#answer<GenerateDelta>(options, request, (service, bounds, seed) =>
      service.generate(withSeed(request, seed), bounds),
    );
  }

  /** Asks for the next message of a conversation. */
  chat(params: ChatParams, options: AnswerOptions = {}): Answer<ChatDelta> {
    const request = create(ChatRequestSchema, params);
    return this.#answer<ChatDelta>(options, request, (service, bounds, seed) =>
      service.chat(withSeed(request, seed), bounds),
    );
  }

  /** Text or a conversation to the token ids that `generate` would use. */
  async tokenize(params: TokenizeParams, options: CallOptions = {}): Promise<readonly number[]> {
    const request = toTokenizeRequest(params);
    const { tokenIds } = await this.#ask(options, (service, bounds) =>
      service.tokenize(request, bounds),
    );
    return tokenIds;
  }

  /** Token ids to text; control tokens are left out. */
  async detokenize(tokenIds: readonly number[], options: CallOptions = {}): Promise<string> {
    const request = { tokenIds: [...tokenIds] };
    const { text } = await this.#ask(options, (service, bounds) =>
      service.detokenize(request, bounds),
    );
    return text;
  }

  /** The models served. */
  async listModels(options: CallOptions = {}): Promise<readonly Model[]> {
    const { models } = await this.#ask(options, (service, bounds) =>
      service.listModels({}, bounds),
    );
    return models;
  }

  /** One model's shape and limits. @param name the one model served, if left out */
  async getModel(name = "", options: CallOptions = {}): Promise<Model> {
    const { model } = await this.#ask(options, (service, bounds) =>
      service.getModel({ name }, bounds),
    );
    return model!;
  }

  /** The cluster as it is now: its workers, its KV cache, what runs and what waits. */
  async getClusterState(options: CallOptions = {}): Promise<ClusterState> {
    const { state } = await this.#ask(options, (service, bounds) =>
      service.getClusterState({}, bounds),
    );
    return state!;
  }

  /** The cluster now and after each change, until the loop is left; by default for a day. */
  async *watchClusterState(options: CallOptions = {}): AsyncGenerator<ClusterState, void> {
    const call = this.#begin(options, watchDeadlineMs);
    try {
      for (;;) yield* watchOnce(call);
    } finally {
      this.#end(call);
    }
  }

  /** Ends every call under way with {@link ClientClosedError} and frees the connections. */
  close(): void {
    this.#isClosed = true;
    for (const call of this.#calls) call.abort(new ClientClosedError());
    for (const { service } of this.#context.endpoints) service.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #ask<Response>(
    options: CallOptions,
    attempt: (service: Endpoint["service"], bounds: CallBounds) => Promise<Response>,
  ): Promise<Response> {
    const call = this.#begin(options, unaryDeadlineMs);
    try {
      return await askUntilAnswered(call, attempt);
    } finally {
      this.#end(call);
    }
  }

  #answer<Delta extends DeltaParts>(
    options: AnswerOptions,
    { n = 1 }: { readonly n?: number | undefined },
    open: Asking<Delta>["open"],
  ): Answer<Delta> {
    const { resume = true } = options;
    const numAnswers = Math.max(1, n); // 0 is refused by the coordinator
    return new Answer(numAnswers, () => this.#stream(options, { open, numAnswers, resume }));
  }

  async *#stream<Delta extends DeltaParts>(
    options: CallOptions,
    asking: Asking<Delta>,
  ): AsyncGenerator<AnswerEvent<Delta>, void> {
    const call = this.#begin(options, answerDeadlineMs);
    try {
      yield* streamAnswer(call, asking);
    } finally {
      this.#end(call);
    }
  }

  #begin(options: CallOptions, defaultMs: number): Call {
    if (this.#isClosed) throw new ClientClosedError();
    const deadlineMs = options.deadlineMs ?? this.#deadlineMs ?? defaultMs;
    const signal = options.signal && { signal: options.signal };
    const call = new Call(this.#context, { deadlineMs, ...signal });
    this.#calls.add(call);
    return call;
  }

  #end(call: Call): void {
    this.#calls.delete(call);
    call.end();
  }
}

/** Watches until the stream ends or breaks; returns when it may be opened again. */
async function* watchOnce(call: Call): AsyncGenerator<ClusterState, void> {
  const { service, bounds } = call.begin();
  const stream = service.watchClusterState({}, bounds);
  stream.on("error", () => {}); // the loop throws it, unless it was left before
  try {
    for await (const { state } of stream as AsyncIterable<WatchClusterStateResponse>) {
      call.progressed();
      yield state!;
    }
  } catch (error) {
    await call.retryAfter(error);
  } finally {
    stream.cancel();
  }
}

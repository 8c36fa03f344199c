// One coordinator: what it serves, whether it is ready, and calls of it.
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type ChatRequestSchema,
  type ChatResponse,
  type ClusterState,
  checkHealth,
  type DetokenizeRequestSchema,
  type GenerateRequestSchema,
  type GenerateResponse,
  InferenceService,
  type Model,
  readinessName,
  type TokenizeRequestSchema,
  type TokenizeResponse,
} from "@octet/protocol";
import { createClient, type GrpcClient } from "@octet/protocol/grpc";
import { fromUpstream } from "./upstream-error.ts";

/** Longest a call that computes nothing may take, in ms. */
const unaryDeadlineMs = 10_000;
/** Longest a look at its health may take, in ms. */
const lookDeadlineMs = 2_000;

/** Bounds of one answer. */
export interface AnswerBounds {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** What is to be answered, and by which method. */
export type AnswerCall =
  | {
      readonly method: "generate";
      readonly request: MessageInitShape<typeof GenerateRequestSchema>;
    }
  | { readonly method: "chat"; readonly request: MessageInitShape<typeof ChatRequestSchema> };

/** started, deltas, finished. */
export type AnswerEvent = GenerateResponse["event"] | ChatResponse["event"];

/** A coordinator that may come and go. Its failures are thrown as {@link ApiError}s. */
export class Coordinator {
  readonly address: string;
  readonly #client: GrpcClient<typeof InferenceService>;
  #models: readonly Model[] = [];
  #isReady = false;
  #answers = 0;

  /** Connects at the first call. */
  constructor(address: string) {
    this.address = address;
    this.#client = createClient(InferenceService, address);
  }

  /** As it last said; it may be away since. */
  get models(): readonly Model[] {
    return this.#models;
  }

  /** Whether it said so when it was last asked. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Answers of ours under way there. */
  get answers(): number {
    return this.#answers;
  }

  /** Asks how it is. Never throws: one that does not answer is not ready. */
  async look(): Promise<void> {
    try {
      const isReady = await checkHealth(this.address, readinessName, {
        deadlineMs: lookDeadlineMs,
      });
      // A coordinator that has yet to load its shard serves no model.
      if (isReady) {
        this.#models = (await this.#client.listModels({}, { deadlineMs: lookDeadlineMs })).models;
      }
      this.#isReady = isReady;
    } catch {
      this.#isReady = false;
    }
  }

  /** Streams one answer. Leaving the loop, or aborting the signal, cancels the work. */
  async *answer(
    { method, request }: AnswerCall,
    bounds: AnswerBounds,
  ): AsyncGenerator<AnswerEvent, void> {
    this.#answers++;
    const call =
      method === "chat"
        ? this.#client.chat(request, bounds)
        : this.#client.generate(request, bounds);
    try {
      const responses: AsyncIterable<ChatResponse | GenerateResponse> = call;
      for await (const { event } of responses) yield event;
    } catch (error) {
      throw fromUpstream(error);
    } finally {
      this.#answers--;
      call.cancel();
    }
  }

  async tokenize(
    request: MessageInitShape<typeof TokenizeRequestSchema>,
    signal: AbortSignal,
  ): Promise<TokenizeResponse> {
    try {
      return await this.#client.tokenize(request, { deadlineMs: unaryDeadlineMs, signal });
    } catch (error) {
      throw fromUpstream(error);
    }
  }

  async detokenize(
    request: MessageInitShape<typeof DetokenizeRequestSchema>,
    signal: AbortSignal,
  ): Promise<string> {
    try {
      return (await this.#client.detokenize(request, { deadlineMs: unaryDeadlineMs, signal })).text;
    } catch (error) {
      throw fromUpstream(error);
    }
  }

  /** How its cluster is; undefined if it does not say. */
  async state(): Promise<ClusterState | undefined> {
    try {
      return (await this.#client.getClusterState({}, { deadlineMs: lookDeadlineMs })).state;
    } catch {
      return undefined; // away, or loading: whoever asks has others to ask
    }
  }

  close(): void {
    this.#client.close();
  }
}

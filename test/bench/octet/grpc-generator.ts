// A coordinator asked over gRPC as a user asks.
import assert from "node:assert/strict";
import { type ExpertUse, InferenceService } from "@octet/protocol";
import { createClient, type GrpcClient } from "@octet/protocol/grpc";
import type {
  DecodeRequest,
  DecodeResult,
  PrefillResult,
  TextGenerator,
} from "../harness/text-generator.ts";
import {
  type StreamTokens,
  timeAnswers,
  timeDecode,
  timePrefill,
} from "./generate-side-by-side.ts";
import { tokenStreamOf } from "./token-stream.ts";

/** Where a call's time went, by the worker's clock, in µs; means over the calls of one answer. */
export interface MeanCall {
  readonly queuedUs: number;
  readonly computedUs: number;
}

/** Steps that a coordinator computed since its start. */
export interface StepCounts {
  readonly steps: number;
  readonly halvedSteps: number;
}

/** Longest that one answer may take. */
const deadlineMs = 600_000;
const rememberedToo = { prefixCache: true };

/** A client of one coordinator. Whoever made it closes it. */
export class GrpcGenerator implements TextGenerator {
  readonly #client: GrpcClient<typeof InferenceService>;
  readonly #stream: StreamTokens;
  #lastUse: readonly ExpertUse[] = [];
  #lastCachedTokens = 0;

  constructor(address: string) {
    this.#client = createClient(InferenceService, address);
    this.#stream = tokenStreamOf(this.#client, ({ experts, cachedPromptTokens }) => {
      this.#lastUse = experts;
      this.#lastCachedTokens = cachedPromptTokens;
    });
  }

  async prefill(promptTokenIds: readonly number[]): Promise<PrefillResult> {
    const result = await timePrefill(this.#stream, promptTokenIds);
    assert.equal(this.#lastCachedTokens, 0, "the whole prompt is computed");
    return result;
  }

  decode(request: DecodeRequest): Promise<DecodeResult> {
    return timeDecode(this.#stream, request);
  }

  /** As many streams at once as there are prompts; from the first call to the last token. */
  serve(request: DecodeRequest): Promise<DecodeResult> {
    return timeAnswers(this.#stream, request);
  }

  /** A prefill that may find its prompt computed, and leaves it for others to find. */
  async prefillRemembering(
    promptTokenIds: readonly number[],
  ): Promise<PrefillResult & { readonly cachedTokens: number }> {
    const result = await timePrefill(this.#stream, promptTokenIds, rememberedToo);
    return { ...result, cachedTokens: this.#lastCachedTokens };
  }

  /** A decode whose prompts may be found computed: only the steps after them are timed anyway. */
  decodeRemembering(request: DecodeRequest): Promise<DecodeResult> {
    return timeDecode(this.#stream, request, { options: rememberedToo });
  }

  /** Of the answer that ended last; its prompt's calls are among them. */
  get meanCall(): MeanCall {
    const sum = (pick: (use: ExpertUse) => bigint) =>
      this.#lastUse.reduce((total, use) => total + Number(pick(use)), 0);
    const calls = sum((use) => use.calls);
    return {
      queuedUs: sum((use) => use.queuedUs) / calls,
      computedUs: sum((use) => use.computedUs) / calls,
    };
  }

  async stepCounts(): Promise<StepCounts> {
    const { state } = await this.#client.getClusterState({}, { deadlineMs });
    const { steps, halvedSteps } = state!.scheduler!;
    return { steps: Number(steps), halvedSteps: Number(halvedSteps) };
  }

  close(): void {
    this.#client.close();
  }
}

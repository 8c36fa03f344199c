// Octet with all its engines in one process of its own, asked like everything that is measured.
import { fileURLToPath } from "node:url";
import type { ModelConfig } from "@octet/core";
import { LineChild } from "../harness/line-child.ts";
import { ask } from "../harness/requests.ts";
import type {
  DecodeRequest,
  DecodeResult,
  PrefillResult,
  TextGenerator,
} from "../harness/text-generator.ts";
import type { OneProcessAnswers } from "./one-process-main.ts";
import type { OneProcessOptions } from "./open-one-process.ts";
import type { GapRequest, GapResult } from "./time-token-gaps.ts";

/** A model in one process. Computes only while it is asked. */
export class OneProcessOctet implements TextGenerator, AsyncDisposable {
  /** "cpu avx512, 2 threads" */
  readonly device: string;
  readonly model: ModelConfig;
  readonly #child: LineChild;

  private constructor(child: LineChild, about: { device: string; model: ModelConfig }) {
    this.#child = child;
    this.device = about.device;
    this.model = about.model;
  }

  static async open(options: OneProcessOptions): Promise<OneProcessOctet> {
    const main = fileURLToPath(new URL("one-process-main.ts", import.meta.url));
    const child = new LineChild({ name: "octet", command: process.execPath, args: [main] });
    const about = await ask<OneProcessAnswers, "open">(child, "open", options);
    return new OneProcessOctet(child, about);
  }

  prefill(promptTokenIds: readonly number[]): Promise<PrefillResult> {
    return ask<OneProcessAnswers, "prefill">(this.#child, "prefill", promptTokenIds);
  }

  decode(request: DecodeRequest): Promise<DecodeResult & { expertCalls: number }> {
    return ask<OneProcessAnswers, "decode">(this.#child, "decode", request);
  }

  /** With steps of at most so many tokens; the engine's default is back when it resolves. */
  async tokenGaps(request: GapRequest, stepTokensMax: number): Promise<GapResult> {
    await ask<OneProcessAnswers, "limitSteps">(this.#child, "limitSteps", stepTokensMax);
    try {
      return await ask<OneProcessAnswers, "tokenGaps">(this.#child, "tokenGaps", request);
    } finally {
      await ask<OneProcessAnswers, "limitSteps">(this.#child, "limitSteps", null);
    }
  }

  /** [t, V]: the logits after each token. */
  async logits(tokenIds: readonly number[]): Promise<Float32Array> {
    const base64 = await ask<OneProcessAnswers, "logits">(this.#child, "logits", tokenIds);
    const bytes = new Uint8Array(Buffer.from(base64, "base64"));
    return new Float32Array(bytes.buffer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}

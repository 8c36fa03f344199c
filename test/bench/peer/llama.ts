// llama.cpp in a process of its own, asked like everything else that is measured.
import { fileURLToPath } from "node:url";
import { LineChild } from "../harness/line-child.ts";
import { ask } from "../harness/requests.ts";
import type {
  DecodeRequest,
  DecodeResult,
  PrefillResult,
  TextGenerator,
} from "../harness/text-generator.ts";
import { installPeer } from "./install-peer.ts";
import type { LlamaAnswers } from "./llama-process.ts";

/** A model in llama.cpp. Computes only while it is asked. */
export class Llama implements TextGenerator, AsyncDisposable {
  /** Its release, and the instruction sets of its build. */
  readonly about: string;
  readonly #child: LineChild;
  #open = "";

  private constructor(child: LineChild, about: string) {
    this.#child = child;
    this.about = about;
  }

  /** Installs llama.cpp if need be, and loads a GGUF file. */
  static async load(options: {
    readonly path: string;
    readonly threads: number;
    readonly say: (text: string) => void;
  }): Promise<Llama> {
    await installPeer(options.say);
    const main = fileURLToPath(new URL("llama-process.ts", import.meta.url));
    const child = new LineChild({ name: "llama.cpp", command: process.execPath, args: [main] });
    const { path, threads } = options;
    const about = await ask<LlamaAnswers, "load">(child, "load", { path, threads });
    return new Llama(child, about);
  }

  async prefill(promptTokenIds: readonly number[]): Promise<PrefillResult> {
    await this.#makeRoom(1, promptTokenIds.length + 1);
    return await ask<LlamaAnswers, "prefill">(this.#child, "prefill", promptTokenIds);
  }

  /** @param request with the tokens to take: see {@link DecodeRequest.forced} */
  async decode(request: DecodeRequest): Promise<DecodeResult> {
    await this.#makeRoomFor(request);
    return await ask<LlamaAnswers, "decode">(this.#child, "decode", request);
  }

  /** @param request with the tokens to take: see {@link DecodeRequest.forced} */
  async serve(request: DecodeRequest): Promise<DecodeResult> {
    await this.#makeRoomFor(request);
    return await ask<LlamaAnswers, "serve">(this.#child, "serve", request);
  }

  /** [t, V]: the logits after each token. */
  async logits(tokenIds: readonly number[]): Promise<Float32Array> {
    await this.#makeRoom(1, tokenIds.length + 1);
    const base64 = await ask<LlamaAnswers, "logits">(this.#child, "logits", tokenIds);
    const bytes = new Uint8Array(Buffer.from(base64, "base64"));
    return new Float32Array(bytes.buffer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }

  async #makeRoomFor({ prompts, steps }: DecodeRequest): Promise<void> {
    const longest = Math.max(...prompts.map((prompt) => prompt.length));
    await this.#makeRoom(prompts.length, longest + steps + 1);
  }

  /** Contexts grow with their sequences, as Octet's KV blocks do; unchanged ones are kept. */
  async #makeRoom(sequences: number, tokens: number): Promise<void> {
    const contextTokens = Math.ceil(tokens / 256) * 256;
    const wanted = JSON.stringify([sequences, contextTokens]);
    if (wanted === this.#open) return;
    await ask<LlamaAnswers, "open">(this.#child, "open", { sequences, contextTokens });
    this.#open = wanted;
  }
}

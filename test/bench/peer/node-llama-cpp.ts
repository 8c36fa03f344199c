// What we use of node-llama-cpp. It is installed only for benchmarks, so its own types may be away.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

/** A model's KV cache for some sequences. */
export interface LlamaContext {
  getSequence(): LlamaSequence;
  dispose(): Promise<void>;
}

/** What the context does with one token. */
export type EvaluatedToken =
  | number
  | readonly [token: number, options: { readonly generateNext: GenerateNext }];

/** What is wanted after a token. */
export interface GenerateNext {
  readonly token?: boolean;
  readonly logits?: boolean;
  readonly options?: { readonly temperature: number };
}

/** What came after a token. */
export interface Evaluation {
  readonly next: { readonly token?: number; readonly logits?: ReadonlyMap<number, number> };
}

/** One sequence of a context. */
export interface LlamaSequence {
  /** Tokens whose keys and values are in the cache. */
  readonly nextTokenIndex: number;
  clearHistory(): Promise<void>;
  eraseContextTokenRanges(ranges: readonly { start: number; end: number }[]): Promise<void>;
  /** @returns one entry for each token, undefined where nothing was wanted */
  controlledEvaluate(
    tokens: readonly EvaluatedToken[],
  ): Promise<readonly (Evaluation | undefined)[]>;
}

interface LlamaModel {
  createContext(options: {
    readonly sequences: number;
    readonly contextSize: number;
    readonly batchSize: number;
    readonly threads: number;
  }): Promise<LlamaContext>;
}

interface Llama {
  readonly llamaCppRelease: { readonly release: string };
  readonly systemInfo: string;
  loadModel(options: {
    readonly modelPath: string;
    readonly gpuLayers: number;
  }): Promise<LlamaModel>;
}

interface Module {
  readonly LlamaLogLevel: { readonly error: unknown };
  getLlama(options: {
    readonly gpu: false;
    readonly build: "never";
    readonly logLevel: unknown;
    readonly logger: (level: unknown, message: string) => void;
    readonly maxThreads: number;
  }): Promise<Llama>;
}

/** A model of llama.cpp, ready to compute. */
export interface LoadedLlama {
  readonly model: LlamaModel;
  /** Its release, and the instruction sets that its build uses here. */
  readonly about: string;
}

/** Loads a GGUF file with as many threads, on the CPU, as the package is prebuilt. */
export async function loadLlama(path: string, threads: number): Promise<LoadedLlama> {
  const require = createRequire(import.meta.url);
  const entry = pathToFileURL(require.resolve("node-llama-cpp")).href;
  const { getLlama, LlamaLogLevel }: Module = await import(entry);
  const llama = await getLlama({
    gpu: false,
    build: "never",
    logLevel: LlamaLogLevel.error,
    // Standard output belongs to the answers.
    logger: (_level, message) => process.stderr.write(`${message}\n`),
    maxThreads: threads,
  });
  const model = await llama.loadModel({ modelPath: path, gpuLayers: 0 });
  const isas = Array.from(llama.systemInfo.matchAll(/(\w+) = 1/g), (match) => match[1]);
  return { model, about: `llama.cpp ${llama.llamaCppRelease.release} (${isas.join(" ")})` };
}

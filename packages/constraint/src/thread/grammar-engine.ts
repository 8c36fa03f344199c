// The grammar engine, xgrammar as WebAssembly, loaded where it can be given up.
import { readFileSync } from "node:fs";
import * as nodeModule from "node:module";
import type * as xgrammar from "@mlc-ai/web-xgrammar";

/** What the package exports, and what its abort wrote. */
export interface GrammarEngine {
  readonly api: typeof xgrammar;
  /** The lines it has printed since the last call. */
  takeOutput(): string[];
}

/**
 * Its file is CommonJS under "type": "module", so Node will not load it; it is run as a function
 * instead. That also hands it a console, since it aborts with the reason printed, and a bound on the
 * memory it may grow to.
 */
export function loadGrammarEngine(memoryBytesMax: number): GrammarEngine {
  const require = nodeModule.createRequire(import.meta.url);
  const path = require.resolve("@mlc-ai/web-xgrammar");
  const module = { exports: {} };
  let output: string[] = [];
  const print = (...parts: unknown[]): void => {
    output.push(parts.join(" "));
  };
  const source = readFileSync(path, "utf8");
  // A function made from text may not import; the one import there is of node:module.
  const body = source.replace(/await import\('module'\)/, "nodeModule");
  const given = { exports: module.exports, module, require, nodeModule, __filename: path };
  const console = { log: print, warn: print, error: print };
  const WebAssembly = boundedWebAssembly(memoryBytesMax, print);
  const scope = { ...given, console, WebAssembly };
  new Function(...Object.keys(scope), body)(...Object.values(scope));
  return {
    api: module.exports as typeof xgrammar,
    takeOutput: () => {
      const taken = output;
      output = [];
      return taken;
    },
  };
}

const pageBytes = 65_536;

/** What is used of the global of that name, which Node's types leave out. */
interface WebAssemblyApi {
  readonly Memory: { readonly prototype: WebAssemblyMemory };
  instantiate(...given: readonly unknown[]): Promise<{ readonly instance: { exports: object } }>;
}

interface WebAssemblyMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** WebAssembly whose memories refuse to grow beyond a size, as if there were no more. */
function boundedWebAssembly(bytesMax: number, print: (line: string) => void): WebAssemblyApi {
  const plain = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
  const isMemory = (value: unknown): value is WebAssemblyMemory =>
    value instanceof (plain.Memory as unknown as new () => object);
  const bounded: WebAssemblyApi = Object.create(plain);
  bounded.instantiate = async (...given) => {
    const result = await plain.instantiate(...given);
    for (const memory of Object.values(result.instance.exports).filter(isMemory)) {
      memory.grow = (pages) => {
        if (memory.buffer.byteLength + pages * pageBytes > bytesMax) {
          print(`[FATAL] it needs more than threadBytesMax, ${bytesMax} bytes`);
          throw new RangeError("memory bound");
        }
        return plain.Memory.prototype.grow.call(memory, pages);
      };
    }
    return result;
  };
  return bounded;
}

// Compiles constraints and keeps the compiled ones, least recently used out first.
import type { CompiledGrammar, GrammarCompiler } from "@mlc-ai/web-xgrammar";
import type { ConstraintSpec } from "../constraint-spec.ts";
import { GrammarProblem } from "../grammar/grammar-problem.ts";
import { firstRule, specGrammar } from "../grammar/spec-grammar.ts";
import type { GrammarEngine } from "./grammar-engine.ts";
import type { ThreadSettings } from "./thread-messages.ts";

/** A thread's compiler and its cache. */
export class CompiledGrammars {
  readonly #engine: GrammarEngine;
  readonly #compiler: GrammarCompiler;
  readonly #settings: ThreadSettings;
  /** In order of use, the oldest first. */
  readonly #kept = new Map<string, { readonly grammar: CompiledGrammar; readonly bytes: number }>();
  #keptBytes = 0;

  constructor(engine: GrammarEngine, compiler: GrammarCompiler, settings: ThreadSettings) {
    this.#engine = engine;
    this.#compiler = compiler;
    this.#settings = settings;
  }

  /** @throws {GrammarProblem} for what the caller can mend */
  async get(digest: string, spec: ConstraintSpec): Promise<CompiledGrammar> {
    const known = this.#kept.get(digest);
    if (known !== undefined) {
      this.#kept.delete(digest);
      this.#kept.set(digest, known);
      return known.grammar;
    }
    const text = specGrammar(spec);
    const bytes = Buffer.byteLength(text);
    const { grammarBytesMax } = this.#settings;
    if (bytes > grammarBytesMax) {
      throw new GrammarProblem(
        `it becomes a grammar of ${bytes} bytes; grammarBytesMax is ${grammarBytesMax}`,
      );
    }
    // Given the text, the package would keep what it parses from it for ever.
    const parsed = await this.#engine.api.Grammar.fromEBNF(text, firstRule);
    const grammar = await this.#compiler.compileGrammar(parsed);
    parsed.dispose();
    this.#keep(digest, { grammar, bytes });
    const [warning] = this.#engine.takeOutput().filter((line) => line.includes("[WARNING]"));
    if (warning !== undefined) throw new GrammarProblem(withoutPlace(warning));
    return grammar;
  }

  #keep(
    digest: string,
    entry: { readonly grammar: CompiledGrammar; readonly bytes: number },
  ): void {
    this.#kept.set(digest, entry);
    this.#keptBytes += entry.bytes;
    const { cachedGrammarsMax, cachedGrammarBytesMax } = this.#settings;
    for (const [oldest, { grammar, bytes }] of this.#kept) {
      const isFull = this.#kept.size > cachedGrammarsMax || this.#keptBytes > cachedGrammarBytesMax;
      if (!isFull || oldest === digest) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= bytes;
      // Matchers of answers under way share what it holds.
      grammar.dispose();
    }
  }
}

/** "[FATAL] /some/source.cc:12: reason" → "reason" */
export function withoutPlace(line: string): string {
  return line.replace(/^\[[A-Z]+\] (?:\S+:\d+: )?/, "");
}

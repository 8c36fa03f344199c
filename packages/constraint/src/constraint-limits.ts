// What a constraint may cost. Each has a name, so that an error can say which was exceeded.

/** Bounds on what callers' constraints may take. */
export interface ConstraintLimits {
  /** Bytes of a constraint as it comes. */
  readonly specBytesMax: number;
  /** Bytes of the grammar that it becomes. */
  readonly grammarBytesMax: number;
  /** From a thread's start of the work to the compiled grammar, in ms. */
  readonly compileMs: number;
  /** Working out one mask, in ms. */
  readonly maskMs: number;
  /** Constraints that wait to be compiled for the first time. */
  readonly compileQueueMax: number;
  /** Threads that follow answers; one more tries grammars first. */
  readonly numThreads: number;
  /** Memory of one thread's compiler and grammars. */
  readonly threadBytesMax: number;
  /** Compiled grammars that a thread keeps. */
  readonly cachedGrammarsMax: number;
  /** Bytes of their texts. */
  readonly cachedGrammarBytesMax: number;
}

/** Generous for people's schemas; a grammar that needs more is a mistake or an attack. */
export const defaultConstraintLimits: ConstraintLimits = {
  specBytesMax: 256 * 1024,
  grammarBytesMax: 1024 * 1024,
  compileMs: 5_000,
  maskMs: 2_000,
  compileQueueMax: 64,
  numThreads: 2,
  threadBytesMax: 512 * 1024 * 1024,
  cachedGrammarsMax: 64,
  cachedGrammarBytesMax: 4 * 1024 * 1024,
};

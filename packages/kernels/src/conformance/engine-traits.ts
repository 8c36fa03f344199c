// What of an engine decides how much of a rule can fail on it.

/** Told by whoever registers the suite for an engine. */
export interface EngineTraits {
  /**
   * Whether the engine computes on as many threads as it is told to. One that does not ignores the
   * number, and is not asked the same again for each.
   */
  readonly hasOwnThreads: boolean;
}

/** Numbers of threads that must all give the same bits, each on an engine of its own. */
export function threadCountsOf({ hasOwnThreads }: EngineTraits): readonly number[] {
  return hasOwnThreads ? [1, 2, 3, 4] : [1, 1];
}

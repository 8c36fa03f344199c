// How long one of something takes, when a clock is too coarse for one.

/** How thoroughly to measure. */
export interface Sampling {
  /** The shortest sample that is believed: device clocks tick as coarsely as every 0.1 ms. */
  readonly sampleMs: number;
  /** Samples, of which the median counts. */
  readonly samples: number;
}

/**
 * Milliseconds of one, by the median of samples of as many as make a sample long enough.
 *
 * @param run does `count` of them, and says how many milliseconds they took together
 * @param limits countMax: most of a sample, even if they are too quick to be believed
 */
export async function millisecondsOfOne(
  run: (count: number) => Promise<number>,
  { sampleMs, samples, countMax }: Sampling & { readonly countMax: number },
): Promise<number> {
  let count = 1;
  let elapsedMs = await run(count);
  while (elapsedMs < sampleMs && count < countMax) {
    const wanted = Math.ceil((1.2 * count * sampleMs) / Math.max(elapsedMs, 1e-3));
    count = Math.min(countMax, wanted, 8 * count);
    elapsedMs = await run(count);
  }
  const times = [elapsedMs];
  while (times.length < samples) times.push(await run(count));
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]! / count;
}

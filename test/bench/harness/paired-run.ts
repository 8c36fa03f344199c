// Two things measured beside each other, so that a machine that drifts carries both along.

/** What to measure. Nothing of it runs at the same time as anything else. */
export interface PairedRun {
  readonly pairs: number;
  readonly ours: () => Promise<number>;
  readonly theirs: () => Promise<number>;
  /** A limit of the machine, asked right before and right after each of our samples. */
  readonly limit?: (() => Promise<number>) | undefined;
}

/** Sample i of each was taken beside sample i of the others. */
export interface PairedSamples {
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
  /** The mean of before and after; empty without a limit. */
  readonly limits: readonly number[];
}

/** Runs both once to warm up, then in pairs; every second pair begins with theirs. */
export async function runPairs(run: PairedRun): Promise<PairedSamples> {
  const samples = { ours: [] as number[], theirs: [] as number[], limits: [] as number[] };
  await run.ours();
  await run.theirs();
  for (let pair = 0; pair < run.pairs; pair++) {
    if (pair % 2 === 1) samples.theirs.push(await run.theirs());
    const before = await run.limit?.();
    samples.ours.push(await run.ours());
    const after = await run.limit?.();
    if (before !== undefined && after !== undefined) samples.limits.push((before + after) / 2);
    if (pair % 2 === 0) samples.theirs.push(await run.theirs());
  }
  return samples;
}

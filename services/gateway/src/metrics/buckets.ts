// Upper bounds of histograms: fine where machines are fast, and far enough where they are not.

/** Of what a request may take, in seconds. */
export const secondsBuckets = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96,
  81.92, 163.84, 327.68, 655.36, 1310.72, 2621.44,
];

/** Of what a token may take, in seconds; a CPU with a large model takes seconds. */
export const tokenSecondsBuckets = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5,
  10, 20, 40, 80,
];

/** Of how many tokens there may be. */
export const tokensBuckets = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000,
];

// What a load was like, in lines for people.
import type { LoadResult } from "./run-load.ts";

/** Counts, percentiles, and how alike clients were served. */
export function describeLoad(result: LoadResult, seconds: number): string {
  const { answers, aborted, broken, tokensOfClients } = result;
  const tokens = answers.reduce((sum, answer) => sum + answer.completionTokens, 0);
  const perToken = answers
    .filter(({ completionTokens }) => completionTokens > 1)
    .map((each) => (each.wholeMs - each.firstTextMs) / (each.completionTokens - 1));
  const lines = [
    `${answers.length} answers read, ${aborted} aborted, ${broken} connections broken`,
    `${(tokens / seconds).toFixed(0)} tokens a second in answers that were read`,
    `to the first text: ${percentiles(answers.map((each) => each.firstTextMs))} ms`,
    `between two tokens: ${percentiles(perToken.filter((ms) => ms > 0))} ms`,
    `whole answers: ${percentiles(answers.map((each) => each.wholeMs))} ms`,
    `tokens of a client: least ${Math.min(...tokensOfClients)}, most ` +
      `${Math.max(...tokensOfClients)}; Jain's index ${jainIndex(tokensOfClients).toFixed(3)} (1 is even)`,
  ];
  return lines.join("\n");
}

function percentiles(values: readonly number[]): string {
  if (values.length === 0) return "none";
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1]!.toFixed(1);
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}`;
}

/** (sum x)² / (n sum x²): 1 if all are equal, 1/n if one has everything. */
export function jainIndex(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  const squares = values.reduce((total, value) => total + value * value, 0);
  return squares === 0 ? 1 : (sum * sum) / (values.length * squares);
}

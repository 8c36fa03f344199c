// What a load was like, in lines for people.
import { loadKinds } from "./load-requests.ts";
import type { LoadAnswer, LoadResult } from "./run-load.ts";

/** Counts, percentiles in all and of each kind, and how alike clients were served. */
export function describeLoad(result: LoadResult, seconds: number): string {
  const { answers, aborted, broken, tokensOfClients } = result;
  const tokens = answers.reduce((sum, answer) => sum + answer.completionTokens, 0);
  const lines = [
    `${answers.length} answers read, ${aborted} aborted, ${broken} connections broken`,
    `${(tokens / seconds).toFixed(0)} tokens a second in answers that were read`,
    ...describeTimes("all", answers),
    ...loadKinds.flatMap((kind) =>
      describeTimes(
        kind,
        answers.filter((answer) => answer.kind === kind),
      ),
    ),
    `tokens of a client: least ${Math.min(...tokensOfClients)}, most ` +
      `${Math.max(...tokensOfClients)}; Jain's index ${jainIndex(tokensOfClients).toFixed(3)} (1 is even)`,
  ];
  return lines.join("\n");
}

function describeTimes(kind: string, answers: readonly LoadAnswer[]): string[] {
  const perToken = answers
    .filter(({ completionTokens }) => completionTokens > 1)
    .map((each) => (each.wholeMs - each.firstTextMs) / (each.completionTokens - 1));
  return [
    `${kind}: ${answers.length}; ms to the first text, between two tokens, to the end:`,
    `  ${percentiles(answers.map((each) => each.firstTextMs))}`,
    `  ${percentiles(perToken.filter((ms) => ms > 0))}`,
    `  ${percentiles(answers.map((each) => each.wholeMs))}`,
  ];
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

// Many clients at once, some of which leave; every answer that was read is what it is alone.
import { isDeepStrictEqual } from "node:util";
import { seededRandom, wholeBetween } from "../faults/seeded-random.ts";
import { abortAnswer, breakConnection } from "./leave-early.ts";
import { createCatalogue, type LoadKind, type LoadRequest } from "./load-requests.ts";
import { type ReadAnswer, readAnswer } from "./read-answer.ts";

/** How large a load, and for how long. */
export interface LoadOptions {
  readonly baseUrl: string;
  readonly clients: number;
  readonly seconds: number;
  readonly requests: number;
  readonly seed: number;
  readonly say: (text: string) => void;
}

/** An answer that was read, and what it was asked for. */
export interface LoadAnswer extends ReadAnswer {
  readonly kind: LoadKind;
}

/** What came of it. */
export interface LoadResult {
  readonly answers: readonly LoadAnswer[];
  readonly aborted: number;
  readonly broken: number;
  /** Answers that differ from the one computed alone, and requests that failed. */
  readonly wrong: readonly string[];
  /** Tokens that each client got. */
  readonly tokensOfClients: readonly number[];
}

/** Share of requests that are aborted, and whose connection breaks. */
const abortedShare = 0.15;
const brokenShare = 0.1;
/** Longest that a client stays which leaves, in ms. */
const patienceMs = 400;

interface KnownRequest {
  readonly request: LoadRequest;
  readonly alone: ReadAnswer;
}

/** Computes each request alone first, then lets all clients loose. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { baseUrl, clients, requests, seconds, seed, say } = options;
  const random = seededRandom(seed);
  const known: KnownRequest[] = [];
  for (const request of createCatalogue(random, requests)) {
    const alone = await readAnswer(baseUrl, request, { stream: false, user: "alone" });
    known.push({ request, alone });
  }
  say(
    `${requests} requests were answered alone; ${clients} clients for ${seconds} s, seed ${seed}`,
  );
  const result = {
    answers: [] as LoadAnswer[],
    aborted: 0,
    broken: 0,
    wrong: [] as string[],
    tokensOfClients: Array.from({ length: clients }, () => 0),
  };
  const endsAtMs = performance.now() + seconds * 1000;
  await Promise.all(
    result.tokensOfClients.map(async (_, client) => {
      const own = seededRandom(seed + client + 1);
      while (performance.now() < endsAtMs) {
        const index = wholeBetween(own, 0, known.length - 1);
        try {
          await askOnce(known[index]!, { baseUrl, client, random: own }, result);
        } catch (error) {
          result.wrong.push(`request ${index}: ${String(error)}`);
        }
      }
    }),
  );
  return result;
}

/** Of the same number of clients, one load after the other. */
export function joinResults(first: LoadResult, second: LoadResult): LoadResult {
  return {
    answers: [...first.answers, ...second.answers],
    aborted: first.aborted + second.aborted,
    broken: first.broken + second.broken,
    wrong: [...first.wrong, ...second.wrong],
    tokensOfClients: first.tokensOfClients.map((n, client) => n + second.tokensOfClients[client]!),
  };
}

async function askOnce(
  { request, alone }: KnownRequest,
  from: { readonly baseUrl: string; readonly client: number; readonly random: () => number },
  result: {
    answers: LoadAnswer[];
    aborted: number;
    broken: number;
    wrong: string[];
    tokensOfClients: number[];
  },
): Promise<void> {
  const { baseUrl, client, random } = from;
  const user = `client-${client}`;
  const fate = random();
  const stream = random() < 0.7;
  const afterMs = wholeBetween(random, 0, patienceMs);
  if (fate < abortedShare) {
    await abortAnswer(baseUrl, request, { stream, user, afterMs });
    result.aborted++;
  } else if (fate < abortedShare + brokenShare) {
    await breakConnection(baseUrl, request, { user, afterMs });
    result.broken++;
  } else {
    const answer = await readAnswer(baseUrl, request, { stream, user });
    result.answers.push({ ...answer, kind: request.kind });
    result.tokensOfClients[client]! += answer.completionTokens;
    const difference = differenceOf(answer, alone);
    if (difference !== undefined) result.wrong.push(`${JSON.stringify(request)}: ${difference}`);
  }
}

function differenceOf(found: ReadAnswer, alone: ReadAnswer): string | undefined {
  for (const name of ["choices", "completionTokens"] as const) {
    if (isDeepStrictEqual(found[name], alone[name])) continue;
    return `${name} is ${JSON.stringify(found[name])}, alone ${JSON.stringify(alone[name])}`;
  }
  return undefined;
}

// Guesses through nine processes: the same answers with them and without, and what is counted.
import { tmpdir } from "node:os";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { findFreePorts } from "@octet/cli/free-ports";
import { type ExpertUse, type GenerateRequestSchema, InferenceService } from "@octet/protocol";
import { createClient } from "@octet/protocol/grpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runOctet } from "./octet-command.ts";
import { startCoordinator, type TestedService } from "./service-cluster.ts";
import { type SmallCluster, startSmallCluster } from "./small-cluster.ts";

let cluster: SmallCluster;
/** Over the same workers, and never guessing. */
let plain: TestedService;
let adminPort: number;

beforeAll(async () => {
  [adminPort] = (await findFreePorts(1)) as [number];
  const settings = { OCTET_ADMIN_LISTEN: `127.0.0.1:${adminPort}` };
  cluster = await startSmallCluster({ settings });
  const { index, workers } = cluster;
  plain = await startCoordinator(index, workers.placement, { OCTET_SPECULATION: "off" });
});

afterAll(async () => {
  await plain?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

type Request = MessageInitShape<typeof GenerateRequestSchema>;
const bounds = { deadlineMs: 60_000 };

function makeRequests(prefixCache: boolean): Request[] {
  return [
    { sampling: { temperature: 0 } },
    { sampling: { seed: 3n, allowedTokenIds: [5, 6, 7] } },
    { sampling: { seed: 4n, allowedTokenIds: [5, 6], repetitionPenalty: 1.2 } },
    { sampling: { seed: 5n, allowedTokenIds: [9] }, n: 2 },
  ].map((asked, i) => ({
    input: { case: "tokens" as const, value: { ids: [1, 5, 6, 7, 5, 6, 7, 5, 6, 7] } },
    stop: { maxTokens: 40, ignoreEos: true },
    output: { topLogprobs: 2, routedExperts: i === 0 },
    scheduling: { prefixCache },
    details: true,
    ...asked,
  }));
}

/** Of each answer its text, tokens, log-probabilities, experts' rows, and how it ended. */
async function answersOf(address: string, request: Request) {
  const client = createClient(InferenceService, address);
  const answers = new Map<number, unknown[]>();
  for await (const { event } of client.generate(request, bounds)) {
    if (event.case === "delta") {
      const { index, text, tokenIds, logprobs } = event.value;
      const said = answers.get(index) ?? ["", [], []];
      answers.set(index, [
        String(said[0]) + text,
        [...(said[1] as number[]), ...tokenIds],
        [...(said[2] as unknown[]), ...logprobs],
      ]);
    } else if (event.case === "finished") {
      const { index, reason, completionTokens, experts, routedExperts } = event.value;
      const rows = experts.map((use: ExpertUse) => [use.expertId, use.rows]);
      answers.get(index)?.push({ reason, completionTokens, rows, routedExperts });
    }
  }
  client.close();
  return answers;
}

test("answers are the same with guesses and without, one by one and at once", async () => {
  const all = (address: string, prefixCache: boolean) =>
    Promise.all(makeRequests(prefixCache).map((request) => answersOf(address, request)));
  const expected = await all(plain.address, false);
  expect(expected.map((answers) => answers.size)).toEqual([1, 1, 1, 2]);
  expect(await all(cluster.address, false)).toEqual(expected);
  for (const [i, request] of makeRequests(false).entries()) {
    expect(await answersOf(cluster.address, request)).toEqual(expected[i]);
  }
  // What a prefix found in the cache saves is not the guesses'.
  const said = (each: typeof expected) =>
    each.map((answers) => [...answers.values()].map((answer) => answer.slice(0, 3)));
  expect(said(await all(cluster.address, true))).toEqual(said(expected));
}, 60_000);

test("guesses and the right ones among them are told by state, metrics and octet ps", async () => {
  const client = createClient(InferenceService, cluster.address);
  const { state } = await client.getClusterState({}, bounds);
  client.close();
  const { draftTokens, acceptedDraftTokens } = state!.scheduler!;
  expect(acceptedDraftTokens).toBeGreaterThan(0n);
  expect(draftTokens).toBeGreaterThanOrEqual(acceptedDraftTokens);
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  expect(metrics).toContain(`octet_draft_tokens_total ${draftTokens}\n`);
  expect(metrics).toContain(`octet_draft_tokens_accepted_total ${acceptedDraftTokens}\n`);
  const { stdout } = await runOctet(["ps", "--address", cluster.address], { cacheDir: tmpdir() });
  expect(stdout).toContain(
    `\n${acceptedDraftTokens} of ${draftTokens} guessed tokens were right\n`,
  );

  const other = createClient(InferenceService, plain.address);
  const { state: off } = await other.getClusterState({}, bounds);
  other.close();
  expect(off?.scheduler?.draftTokens).toBe(0n);
}, 60_000);

// A short load; `npm run test:load` is the long one.
import { afterAll, beforeAll, expect, test } from "vitest";
import { GatewayCluster } from "../gateway/gateway-cluster.ts";
import { loadKinds } from "./load-requests.ts";
import { describeLoad, jainIndex } from "./report.ts";
import { runLoad } from "./run-load.ts";
import { waitUntilIdle } from "./what-is-left.ts";

let cluster: GatewayCluster;

beforeAll(async () => {
  cluster = await GatewayCluster.start();
}, 120_000);
afterAll(() => cluster?.[Symbol.asyncDispose]());

test("64 clients, some of which leave: every answer read is what it is alone, nothing is left", async () => {
  const seconds = 12;
  const said: string[] = [];
  const result = await runLoad({
    baseUrl: `http://${cluster.gateway.address}`,
    clients: 64,
    requests: 24,
    seconds,
    seed: 64_64,
    say: (text) => said.push(text),
  });
  expect(result.wrong.slice(0, 3), said.join("\n")).toEqual([]);
  expect(result.answers.length, describeLoad(result, seconds)).toBeGreaterThan(64);
  expect(new Set(result.answers.map(({ kind }) => kind))).toEqual(new Set(loadKinds));
  const calls = result.answers.flatMap(({ choices }) => choices.map((each) => each.toolCalls));
  expect(calls.flat().length).toBeGreaterThan(0);
  expect(result.aborted).toBeGreaterThan(0);
  expect(result.broken).toBeGreaterThan(0);
  expect(await waitUntilIdle(cluster)).toEqual({
    sequencesRunning: 0,
    sequencesWaiting: 0,
    kvBlocks: 0,
    gatewayAnswers: 0,
    gatewayConnections: 0,
  });
  for (const service of [cluster.gateway, cluster.coordinator]) {
    expect(service.lines.filter(({ level }) => level === "error")).toEqual([]);
  }
}, 120_000);

test("the index of fairness is 1 for equals, and 1/n where one has everything", () => {
  expect(jainIndex([3, 3, 3, 3])).toBe(1);
  expect(jainIndex([8, 0, 0, 0])).toBe(0.25);
  expect(jainIndex([])).toBe(1);
});

// npm run test:load: 64 clients for five minutes, or as the flags say.
import { parseArgs } from "node:util";
import { GatewayCluster } from "../gateway/gateway-cluster.ts";
import { describeLoad } from "./report.ts";
import { joinResults, runLoad } from "./run-load.ts";
import { readMemory, waitUntilIdle } from "./what-is-left.ts";

/**
 * What a process may grow by in the second half, in bytes. What V8 has yet to collect differs by tens
 * of megabytes from one moment to the next; what is lost with each request is more, the longer it goes.
 */
const growthBytesMax = 96 * 1024 * 1024;

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "300" },
    clients: { type: "string", default: "64" },
    requests: { type: "string", default: "96" },
    seed: { type: "string", default: "20260101" },
  },
});
const [seconds, clients, requests, seed] = [
  values.seconds,
  values.clients,
  values.requests,
  values.seed,
].map((text) => {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Error(`expected a whole number, found ${JSON.stringify(text)}`);
}) as [number, number, number, number];

const say = (text: string) => void process.stdout.write(`${text}\n`);
await using cluster = await GatewayCluster.start();
const baseUrl = `http://${cluster.gateway.address}`;
const load = { baseUrl, clients, requests, seconds: seconds / 2, say };
const first = await runLoad({ ...load, seed });
await waitUntilIdle(cluster);
const before = readMemory(cluster);
const second = await runLoad({ ...load, seed: seed + 1 });
const held = await waitUntilIdle(cluster);
const result = joinResults(first, second);
const after = readMemory(cluster);

say(describeLoad(result, seconds));
say(`held when idle: ${JSON.stringify(held)}`);
let leaked = Object.values(held).some((count) => count !== 0);
for (const [name, bytes] of Object.entries(after)) {
  const grown = bytes - before[name]!;
  if (grown > growthBytesMax) leaked = true;
  say(
    `${name}: ${(bytes / 1e6).toFixed(0)} MB, ${(grown / 1e6).toFixed(1)} MB more than at half time`,
  );
}
for (const problem of result.wrong.slice(0, 5)) say(`WRONG ${problem.slice(0, 1000)}`);
const ok = result.wrong.length === 0 && !leaked && result.answers.length > 0;
say(
  `${ok ? "ok" : "FAILED"}: ${result.wrong.length} wrong answers, ${leaked ? "a leak" : "no leak"}`,
);
process.exitCode = ok ? 0 : 1;

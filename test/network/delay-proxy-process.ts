// Links with latency in a process of their own, so that nobody's event loop makes them later.
// Answers a line of JSON, { targets, delayMs }, with the addresses to connect to instead.
import { createInterface } from "node:readline";
import { openDelayProxy } from "./delay-proxy.ts";

interface Question {
  readonly targets: readonly string[];
  readonly delayMs: number;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { targets, delayMs } = JSON.parse(line) as Question;
  const proxies = await Promise.all(targets.map((target) => openDelayProxy(target, delayMs)));
  process.stdout.write(`${JSON.stringify(proxies.map(({ address }) => address))}\n`);
}
process.exit(0);

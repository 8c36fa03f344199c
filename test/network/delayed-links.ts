// Puts latency between processes that run already.
import { fileURLToPath } from "node:url";
import { LineChild } from "../bench/harness/line-child.ts";

const main = fileURLToPath(new URL("delay-proxy-process.ts", import.meta.url));

/** A process whose connections reach others later. */
export interface DelayedLinks extends AsyncDisposable {
  /** For each target, where to connect to instead. */
  readonly addresses: readonly string[];
}

/**
 * @param targets host:port of each
 * @param delayMs each way
 */
export async function startDelayedLinks(
  targets: readonly string[],
  delayMs: number,
): Promise<DelayedLinks> {
  const child = new LineChild({ name: "links", command: process.execPath, args: [main] });
  try {
    const addresses = JSON.parse(await child.ask(JSON.stringify({ targets, delayMs })));
    return { addresses, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

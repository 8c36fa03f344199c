// Real Forward calls: the coordinator's client, and one real worker process for each expert.
import { createGrpcExpertClient } from "@octet/cluster";
import { type ActivationRows, toExpertId } from "@octet/core";
import { silentLogger } from "@octet/telemetry";
import { modelDigest } from "../../expert-client/worker-server.ts";
import { startChildServer } from "./child-server.ts";
import { identityModel } from "./identity-model.ts";

/** Experts that answer with what they were asked. */
export interface ForwardCalls extends AsyncDisposable {
  /** The workers' processes, by expert. */
  readonly pids: readonly number[];
  /** Asks the first `numExperts` experts at once; resolves when all have answered. */
  call(input: ActivationRows, numExperts: number): Promise<void>;
}

const deadlineMs = 30_000;

/** Starts a worker for each expert of the model and connects to all of them. */
export async function openForwardCalls(): Promise<ForwardCalls> {
  const { numExperts } = identityModel;
  const experts = Array.from({ length: numExperts }, (_, id) => toExpertId(id, numExperts));
  const servers = await Promise.all(
    experts.map((id) => startChildServer("identity-worker-process.ts", [String(id)])),
  );
  const client = createGrpcExpertClient({
    placement: servers.map(({ address }, i) => ({ address, expertIds: [experts[i]!] })),
    expected: { ...identityModel, weightDtype: "bf16", modelDigest },
    log: silentLogger,
  });
  const { signal } = new AbortController();
  const ask = async (expertId: (typeof experts)[number], input: ActivationRows) => {
    const reply = await client.forward({ layer: 1, expertId, input }, { deadlineMs, signal });
    const { byteLength } = reply.output.data;
    reply.release?.(); // as the engine does once it has combined
    if (byteLength === input.data.byteLength) return;
    throw new Error(`sent ${input.data.byteLength} bytes, got ${byteLength}`);
  };
  return {
    pids: servers.map((server) => server.pid),
    call: async (input, count) => {
      await Promise.all(experts.slice(0, count).map((id) => ask(id, input)));
    },
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    },
  };
}

// The port's conformance suite over a real network and the real expert service, on both ways that
// there are to reach it: the lean one is held to what grpc-js does.
import { createGrpcExpertClient } from "@octet/cluster";
import { affineModel } from "@octet/cluster/affine-expert-engine";
import { expertClientConformance } from "@octet/cluster/conformance";
import { type Fields, silentLogger } from "@octet/telemetry";
import { expect, test } from "vitest";
import { modelDigest, startWorker } from "./worker-server.ts";

/** How the workers of each suite were spoken to, as the log has it. */
const channels = { lean: new Set<unknown>(), "grpc-js": new Set<unknown>() };

for (const kind of ["lean", "grpc-js"] as const) {
  const log = {
    ...silentLogger,
    info: (event: string, fields?: Fields) => {
      if (event === "worker connected") channels[kind].add(fields?.channel);
    },
  };
  expertClientConformance(`${kind} client`, async (engines) => {
    const isPlain = kind === "grpc-js";
    const workers = await Promise.all(
      engines.map((engine, i) => startWorker(engine, { workerId: `expert-${i}`, isPlain })),
    );
    const client = createGrpcExpertClient({
      placement: workers.map(({ address }, i) => ({ address, expertIds: engines[i]!.expertIds })),
      expected: { ...affineModel, weightDtype: engines[0]!.weightDtype, modelDigest },
      log,
    });
    return {
      client,
      stop: async () => {
        await Promise.all(workers.map((worker) => worker.stop()));
      },
    };
  });
}

test("workers of ours were spoken to as such, and the others over grpc-js", () => {
  expect(channels).toEqual({ lean: new Set(["lean"]), "grpc-js": new Set(["grpc-js"]) });
});

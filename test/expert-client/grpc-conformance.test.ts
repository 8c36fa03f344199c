// The port's conformance suite over a real network and the real expert service.
import { createGrpcExpertClient } from "@octet/cluster";
import { affineModel } from "@octet/cluster/affine-expert-engine";
import { expertClientConformance } from "@octet/cluster/conformance";
import { silentLogger } from "@octet/telemetry";
import { modelDigest, startWorker } from "./worker-server.ts";

expertClientConformance("gRPC client", async (engines) => {
  const workers = await Promise.all(
    engines.map((engine, i) => startWorker(engine, { workerId: `expert-${i}` })),
  );
  const client = createGrpcExpertClient({
    placement: workers.map(({ address }, i) => ({ address, expertIds: engines[i]!.expertIds })),
    expected: { ...affineModel, weightDtype: engines[0]!.weightDtype, modelDigest },
    log: silentLogger,
  });
  return {
    client,
    stop: async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
    },
  };
});

// A real expert-worker but for its engine, which answers with the rows it was asked.
// Usage: node identity-worker-process.ts EXPERT; prints its address.
import { toExpertId } from "@octet/core";
import type { ExpertEngine } from "@octet/kernels";
import { startWorker } from "../../expert-client/worker-server.ts";
import { identityModel } from "./identity-model.ts";

const expertId = toExpertId(Number(process.argv[2]), identityModel.numExperts);
const engine: ExpertEngine = {
  kind: "reference",
  model: identityModel,
  weightDtype: "bf16",
  expertIds: [expertId],
  device: "identity",
  weightBytes: 0,
  forward: async ({ input }) => input,
  close: async () => {},
};
const { address } = await startWorker(engine, { workerId: `expert-${expertId}` });
process.stdout.write(`${address}\n`);
process.stdin.resume().on("end", () => process.exit(0)); // whoever measures is gone

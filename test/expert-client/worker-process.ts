// A worker with an affine engine as a process of its own, to be killed and stopped by tests.
// Usage: node worker-process.ts PORT; prints its address once it listens.
import { AffineExpertEngine, affineModel } from "@octet/cluster/affine-expert-engine";
import { toExpertId } from "@octet/core";
import { startWorker } from "./worker-server.ts";

const experts = Array.from({ length: affineModel.numExperts }, (_, id) =>
  toExpertId(id, affineModel.numExperts),
);
const { address } = await startWorker(new AffineExpertEngine("f32", experts), {
  workerId: "affine-worker",
  port: Number(process.argv[2]),
});
process.stdout.write(`${address}\n`);
process.stdin.resume().on("end", () => process.exit(0)); // the test is gone

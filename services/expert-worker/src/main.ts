// An expert-worker's process. The one file that reads the environment.
import { setFlagsFromString } from "node:v8";

// Before anything is loaded: V8's nursery starts with 1 MB and would grow to 32 while modules load.
// What a worker allocates for each call is few objects, and bytes that lie outside the heap.
setFlagsFromString("--semi-space-growth-factor=1");

const [{ runService }, { expertWorkerSettings }, { startExpertWorker }] = await Promise.all([
  import("@octet/service"),
  import("./config.ts"),
  import("./expert-worker.ts"),
]);
await runService({
  name: "expert-worker",
  settings: expertWorkerSettings,
  environment: process.env,
  start: startExpertWorker,
});

// A coordinator's process. The one file that reads the environment.
import { setFlagsFromString } from "node:v8";

// Before anything is loaded: V8's nursery starts with 1 MB and would grow to 32 while modules load.
// What a step allocates is few objects, and bytes that lie outside the heap.
setFlagsFromString("--semi-space-growth-factor=1");

const [{ runService }, { coordinatorSettings }, { startCoordinator }] = await Promise.all([
  import("@octet/service"),
  import("./config.ts"),
  import("./coordinator.ts"),
]);
await runService({
  name: "coordinator",
  settings: coordinatorSettings,
  environment: process.env,
  start: startCoordinator,
});

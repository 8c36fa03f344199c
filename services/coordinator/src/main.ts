// A coordinator's process. The one file that reads the environment.
import { runService } from "@octet/service";
import { coordinatorSettings } from "./config.ts";
import { startCoordinator } from "./coordinator.ts";

await runService({
  name: "coordinator",
  settings: coordinatorSettings,
  environment: process.env,
  start: startCoordinator,
});

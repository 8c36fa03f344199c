// An expert-worker's process. The one file that reads the environment.
import { runService } from "@octet/service";
import { expertWorkerSettings } from "./config.ts";
import { startExpertWorker } from "./expert-worker.ts";

await runService({
  name: "expert-worker",
  settings: expertWorkerSettings,
  environment: process.env,
  start: startExpertWorker,
});

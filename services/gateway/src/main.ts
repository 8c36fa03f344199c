// The gateway's process. The one file that reads the environment.
import { runService } from "@octet/service";
import { gatewaySettings } from "./config.ts";
import { startGateway } from "./gateway.ts";

await runService({
  name: "gateway",
  settings: gatewaySettings,
  environment: process.env,
  start: startGateway,
});

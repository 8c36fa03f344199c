// The gateway's process. The one file that reads the environment.
import { setFlagsFromString } from "node:v8";

// Before anything is loaded: V8's nursery starts with 1 MB and would grow to 32, which makes a gateway
// that has little to keep look as if it had hundreds of megabytes.
setFlagsFromString("--semi-space-growth-factor=1");

const [{ runService }, { gatewaySettings }, { startGateway }] = await Promise.all([
  import("@octet/service"),
  import("./config.ts"),
  import("./gateway.ts"),
]);
await runService({
  name: "gateway",
  settings: gatewaySettings,
  environment: process.env,
  start: startGateway,
});

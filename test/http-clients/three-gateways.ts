// What the suites talk to: the bundled model behind gateways, told of by environment variables.
import { findFreePorts } from "@octet/cli/free-ports";
import { startGateway, TestedService } from "../cluster/service-cluster.ts";
import { GatewayCluster } from "../gateway/gateway-cluster.ts";

/** Three gateways: one as usual, one that answers one request at a time, one without a model. */
export interface ThreeGateways extends AsyncDisposable {
  readonly cluster: GatewayCluster;
  /** OCTET_BASE_URL, OCTET_BUSY_URL and OCTET_LOADING_URL, beside our own environment. */
  readonly environment: NodeJS.ProcessEnv;
}

/** Starts them as real processes. */
export async function startThreeGateways(): Promise<ThreeGateways> {
  await using started = new AsyncDisposableStack();
  const cluster = started.use(await GatewayCluster.start());
  const coordinators = [cluster.coordinator.address];
  const busy = started.use(await startGateway(coordinators, { OCTET_ANSWERS_MAX: "1" }));
  const [port, adminPort, nobody] = await findFreePorts(3);
  const loading = started.use(
    new TestedService("gateway", {
      name: "gateway without a model",
      address: `127.0.0.1:${port}`,
      settings: {
        OCTET_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
        OCTET_COORDINATORS: `127.0.0.1:${nobody}`,
      },
    }),
  );
  await loading.untilLogged("listening");
  const running = started.move();
  return {
    cluster,
    environment: {
      ...process.env,
      OCTET_BASE_URL: `http://${cluster.gateway.address}`,
      OCTET_BUSY_URL: `http://${busy.address}`,
      OCTET_LOADING_URL: `http://${loading.address}`,
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

export { type AdminServer, openAdminServer } from "./admin-server.ts";
export {
  addressSetting,
  booleanSetting,
  ConfigError,
  type Environment,
  parseEnvironment,
} from "./config.ts";
export { type DeviceChange, type DeviceFollower, DeviceWatch } from "./device-watch.ts";
export { type RunningService, runService, type SharedConfig } from "./lifecycle.ts";
export { listenFailure, requireListenAddress } from "./listen-address.ts";
export { type OpenedServer, type ServerOptions, startOnServer } from "./open-server.ts";
export type { GrpcModule } from "./plain-grpc.ts";
export { shardProgressLog } from "./shard-progress-log.ts";
export { sharedSettings } from "./shared-settings.ts";

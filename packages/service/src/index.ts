export {
  addressSetting,
  booleanSetting,
  ConfigError,
  type Environment,
  isLoopback,
  parseEnvironment,
} from "./config.ts";
export { type RunningService, runService, type SharedConfig } from "./lifecycle.ts";
export { type OpenedServer, openServer } from "./open-server.ts";
export { shardProgressLog } from "./shard-progress-log.ts";

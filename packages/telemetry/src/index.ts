export { createLogger, type LoggerOptions, silentLogger } from "./create-logger.ts";
export { type Fields, type Logger, type LogLevel, logLevels } from "./logger.ts";

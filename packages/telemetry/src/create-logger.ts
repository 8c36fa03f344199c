import { type DestinationStream, destination, type Logger as PinoLogger, pino } from "pino";
import type { Fields, Logger, LogLevel } from "./logger.ts";

/** What a logger is made with. */
export interface LoggerOptions {
  /** Default "info". */
  readonly level?: LogLevel;
  /** In every event: service, workerId. */
  readonly fields?: Fields;
  /** Where lines go, for tests. Default: standard error, written before the call returns. */
  readonly out?: DestinationStream;
}

const stderrFd = 2;

/** A logger that writes one JSON object a line to standard error. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = "info", fields = {}, out } = options;
  const sink = pino(
    {
      level,
      base: fields,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: "event",
      // An Error would be {} in JSON.
      serializers: { cause: describeError },
    },
    // Synchronous, so that the last words of a process that dies are not lost.
    out ?? destination({ dest: stderrFd, sync: true }),
  );
  return wrap(sink);
}

/** A logger that writes nothing. */
export const silentLogger: Logger = {
  child: () => silentLogger,
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};

function wrap(sink: PinoLogger): Logger {
  return {
    child: (fields) => wrap(sink.child(fields)),
    debug: (event, fields = {}) => sink.debug(fields, event),
    info: (event, fields = {}) => sink.info(fields, event),
    warn: (event, fields = {}) => sink.warn(fields, event),
    error: (event, fields) => sink.error(fields, event),
  };
}

/** "outer: inner", so that a cause survives JSON, where an Error would be {}. */
function describeError(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  if (value.cause === undefined) return value.message;
  return `${value.message}: ${String(describeError(value.cause))}`;
}

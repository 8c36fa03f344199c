// From start to a clean end: settings, signals, a parent that vanished, and the exit code.
import { createLogger, type Logger, type LogLevel } from "@octet/telemetry";
import type { z } from "zod";
import { type Environment, parseEnvironment } from "./config.ts";

/** What a running service can be told. */
export interface RunningService {
  /** Stops taking work, finishes what it can, frees everything. Called once. */
  stop(): Promise<void>;
  /** Resolves with the reason if it can no longer serve; the process then ends with code 1. */
  readonly failed?: Promise<Error>;
}

/** Settings that every service has. */
export interface SharedConfig {
  readonly OCTET_LOG_LEVEL: LogLevel;
  /** How long running work may go on after a stop was asked for, in ms. */
  readonly OCTET_DRAIN_MS: number;
  /** Whether the end of standard input means that the parent is gone. */
  readonly OCTET_ENDS_WITH_PARENT: boolean;
}

/** Added to the drain before a stop counts as hung, in ms. */
const stopMarginMs = 5_000;

/**
 * Runs one service for the life of this process. The process ends with code 0 after SIGTERM,
 * SIGINT or the parent's end, and with 1 if settings, start or stop failed, or the service did. A
 * second signal ends it at once.
 *
 * @param options.start opens the service; told by the signal when a stop is asked for meanwhile
 */
export async function runService<Schema extends z.ZodObject>(options: {
  readonly name: string;
  readonly settings: Schema;
  readonly environment: Environment;
  readonly start: (
    config: Readonly<z.infer<Schema>>,
    log: Logger,
    signal: AbortSignal,
  ) => Promise<RunningService>;
}): Promise<never> {
  const fields = { service: options.name };
  let config: Readonly<z.infer<Schema>>;
  try {
    config = parseEnvironment(options.settings, options.environment);
  } catch (error) {
    return endAfterFailure(createLogger({ fields }), "settings refused", error);
  }
  const shared = config as unknown as SharedConfig;
  const log = createLogger({ level: shared.OCTET_LOG_LEVEL, fields });
  const stop = listenForStop(shared.OCTET_ENDS_WITH_PARENT);

  let running: RunningService;
  try {
    running = await options.start(config, log, stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return process.exit(0);
    return endAfterFailure(log, "start failed", error);
  }

  const reason = await Promise.race([stop.requested, ...(running.failed ? [running.failed] : [])]);
  if (reason instanceof Error) return endAfterFailure(log, "service failed", reason);
  log.info("stopping", { reason });
  const stopTimeoutMs = shared.OCTET_DRAIN_MS + stopMarginMs;
  setTimeout(() => {
    endAfterFailure(log, "stop failed", new Error(`not stopped after ${stopTimeoutMs} ms`));
  }, stopTimeoutMs);
  try {
    await running.stop();
  } catch (error) {
    return endAfterFailure(log, "stop failed", error);
  }
  log.info("stopped");
  return process.exit(0);
}

/** One signal for everything that ends a service, and what it was. */
function listenForStop(endsWithParent: boolean): {
  signal: AbortSignal;
  requested: Promise<string>;
} {
  const abort = new AbortController();
  const requested = new Promise<string>((resolve) => {
    const request = (reason: string) => {
      abort.abort(new Error(`stopped by ${reason}`));
      resolve(reason);
    };
    for (const name of ["SIGTERM", "SIGINT"] as const) {
      process.on(name, () => (abort.signal.aborted ? process.exit(1) : request(name)));
    }
    if (endsWithParent) {
      process.stdin.on("end", () => request("the parent's end"));
      process.stdin.on("error", () => request("the parent's end"));
      process.stdin.resume();
    }
  });
  return { signal: abort.signal, requested };
}

function endAfterFailure(log: Logger, event: string, error: unknown): never {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  log.error(event, {
    errorCode: typeof code === "string" ? code : "internal",
    detail: error instanceof Error ? error.message : String(error),
    // Where it was thrown, for the failures that nobody foresaw.
    ...(code === undefined && error instanceof Error ? { stack: error.stack } : {}),
  });
  return process.exit(1);
}

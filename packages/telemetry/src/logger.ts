// What every service logs with: one JSON object a line, a fixed event name and facts as fields.

/** Facts about an event. Units belong in the names: durationMs, weightBytes. */
export type Fields = Readonly<Record<string, unknown>>;

/** Least severe first; a logger drops what is below its level. */
export const logLevels = ["debug", "info", "warn", "error"] as const;

/** How much an event matters: off in production, lifecycle, recovered, someone must look. */
export type LogLevel = (typeof logLevels)[number];

/**
 * Where events go. Passed in, never imported, and never given prompts, completions, token ids or
 * credentials. `event` is a fixed name, so that it can be counted; values go in `fields`.
 */
export interface Logger {
  /** The same log, with `fields` added to every event. */
  child(fields: Fields): Logger;
  debug(event: string, fields?: Fields): void;
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  error(event: string, fields: Fields & { readonly errorCode: string }): void;
}

// One service of ours as a child process: started, listened to, ended.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Services that the octet command can start. */
export type ServiceName = "coordinator" | "expert-worker" | "gateway";

/** One line of a service's log: an event name and its facts. */
export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** How a child ended. */
export interface ServiceExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The file that a service starts from. */
export function serviceMain(service: ServiceName): string {
  return fileURLToPath(new URL(`../../../../services/${service}/src/main.ts`, import.meta.url));
}

/** Longest a child may take to end after SIGTERM before it is killed. */
const stopGraceMs = 10_000;
/** Lines kept of what a child last said, for the message when it dies. */
const lastLinesMax = 20;

/** A running service. Its standard input is a pipe: when we vanish, it ends by itself. */
export class ServiceProcess {
  readonly name: string;
  readonly exited: Promise<ServiceExit>;
  readonly #child: ChildProcess;
  readonly #lastLines: string[] = [];
  #hasExited = false;

  constructor(options: {
    /** For people: "expert 3". */
    name: string;
    service: ServiceName;
    settings: Readonly<Record<string, string>>;
    onLog: (line: LogLine) => void;
  }) {
    this.name = options.name;
    this.#child = spawn(process.execPath, [serviceMain(options.service)], {
      env: { ...withoutSettings(process.env), ...options.settings, OCTET_ENDS_WITH_PARENT: "true" },
      stdio: ["pipe", "ignore", "pipe"],
      // Its own group: Ctrl-C in the terminal reaches us alone, and we stop it in order.
      detached: true,
    });
    // The pipe breaks when the child dies; its exit says all there is to say.
    this.#child.stdin!.on("error", () => {});
    createInterface({ input: this.#child.stderr! }).on("line", (text) => {
      this.#lastLines.push(text);
      if (this.#lastLines.length > lastLinesMax) this.#lastLines.shift();
      const line = parseLogLine(text);
      if (line !== undefined) options.onLog(line);
    });
    this.exited = new Promise((resolve) => {
      this.#child.once("error", (error) => {
        this.#lastLines.push(String(error));
        this.#hasExited = true;
        resolve({ code: 1, signal: null });
      });
      this.#child.once("close", (code, signal) => {
        this.#hasExited = true;
        resolve({ code, signal });
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Why it ended, in its own words: its last error, or else its last lines. */
  get lastWords(): string {
    const errors = this.#lastLines
      .map(parseLogLine)
      .filter((line) => line?.level === "error")
      .map((line) => `${line!.event}: ${String(line!.fields.detail ?? line!.fields.errorCode)}`);
    return errors.at(-1) ?? this.#lastLines.slice(-5).join("\n");
  }

  /** SIGTERM, then SIGKILL if it has not ended after its grace. Resolves once it has ended. */
  async stop(): Promise<void> {
    if (this.#hasExited) return;
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), stopGraceMs);
    await this.exited;
    clearTimeout(timer);
  }
}

/** A child's settings are the ones it is given: none of our own environment's. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !name.startsWith("OCTET_")),
  );
}

/** The log line in `text`, or undefined if it is not one of ours. */
export function parseLogLine(text: string): LogLine | undefined {
  if (!text.startsWith("{")) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null) return undefined;
  const { level, event, ...fields } = parsed as Record<string, unknown>;
  if (typeof event !== "string") return undefined;
  if (level !== "debug" && level !== "info" && level !== "warn" && level !== "error") {
    return undefined;
  }
  return { level, event, fields };
}

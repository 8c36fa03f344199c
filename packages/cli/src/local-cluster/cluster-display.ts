// Shows a local cluster coming up: bars on a terminal, plain lines elsewhere. Standard error only.
import { MultiBar, type SingleBar } from "cli-progress";
import { formatBytes } from "../format.ts";
import type { MemberStatus } from "./member-status.ts";
import type { LogLine } from "./service-process.ts";

/** Shows each status as it changes; `finish` prints the table of what was started. */
export interface ClusterDisplay {
  update(status: MemberStatus): void;
  /** A warning or an error that a member logged. */
  warn(name: string, line: LogLine): void;
  finish(members: readonly MemberStatus[]): void;
  /** Takes the bars away without a table, so that an error can be read. */
  abandon(): void;
}

/** The display that suits `stream`. */
export function createClusterDisplay(stream: NodeJS.WriteStream): ClusterDisplay {
  return stream.isTTY ? new BarDisplay(stream) : new LineDisplay(stream);
}

/** What one line of the final table says. */
function describeMember(status: MemberStatus): string {
  const facts = [
    status.address,
    status.device,
    status.weightBytes === undefined ? undefined : `${formatBytes(status.weightBytes)} weights`,
    status.residentBytes === undefined
      ? undefined
      : `${formatBytes(status.residentBytes)} resident`,
    status.uptimeMs === undefined ? undefined : `ready in ${(status.uptimeMs / 1000).toFixed(1)} s`,
    status.pid === undefined ? undefined : `pid ${status.pid}`,
  ];
  return `${status.name.padEnd(12)} ${facts.filter((fact) => fact !== undefined).join("  ")}`;
}

/** The event and its facts, as text. */
function describeWarning(name: string, line: LogLine): string {
  const {
    time: _time,
    service: _service,
    workerId: _workerId,
    stack: _stack,
    ...facts
  } = line.fields;
  const told = Object.entries(facts).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return `${name}: ${line.level}: ${line.event}${told.length > 0 ? ` ${told.join(" ")}` : ""}`;
}

class LineDisplay implements ClusterDisplay {
  readonly #stream: NodeJS.WriteStream;
  readonly #lastState = new Map<string, string>();
  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  update(status: MemberStatus): void {
    if (this.#lastState.get(status.name) === status.state) return;
    this.#lastState.set(status.name, status.state);
    if (status.state === "ready") this.#stream.write(`octet: ${describeMember(status)}\n`);
    else if (status.state === "restarting") {
      this.#stream.write(`octet: ${status.name} ended; starting it again\n`);
    }
  }

  warn(name: string, line: LogLine): void {
    this.#stream.write(`octet: ${describeWarning(name, line)}\n`);
  }

  finish(): void {}
  abandon(): void {}
}

class BarDisplay implements ClusterDisplay {
  readonly #stream: NodeJS.WriteStream;
  readonly #bars: MultiBar;
  readonly #byName = new Map<string, SingleBar>();
  #finished = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#bars = new MultiBar({
      stream,
      format: "{name} [{bar}] {state}",
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      stopOnComplete: false,
      gracefulExit: false,
    });
  }

  update(status: MemberStatus): void {
    if (this.#finished) {
      if (status.state === "restarting") {
        this.#stream.write(`octet: ${status.name} ended; starting it again\n`);
      } else if (status.state === "ready" && status.restarts > 0) {
        this.#stream.write(`octet: ${status.name} is back at ${status.address}\n`);
      }
      return;
    }
    const name = status.name.padEnd(12);
    const total = Math.max(1, status.totalBytes);
    const done = status.state === "ready" ? total : Math.min(total, status.doneBytes);
    const state =
      status.state === "loading"
        ? `${formatBytes(status.doneBytes)} of ${formatBytes(status.totalBytes)} checked`
        : status.state;
    const bar = this.#byName.get(status.name);
    if (bar === undefined) {
      this.#byName.set(status.name, this.#bars.create(total, done, { name, state }));
    } else {
      bar.setTotal(total);
      bar.update(done, { name, state });
    }
  }

  warn(name: string, line: LogLine): void {
    const text = `octet: ${describeWarning(name, line)}\n`;
    if (this.#finished) this.#stream.write(text);
    else this.#bars.log(text);
  }

  finish(members: readonly MemberStatus[]): void {
    this.abandon();
    for (const member of members) this.#stream.write(`${describeMember(member)}\n`);
  }

  abandon(): void {
    if (!this.#finished) this.#bars.stop();
    this.#finished = true;
  }
}

// Keeps one worker connected: opens a link, and another when it is lost.
import { setTimeout as sleep } from "node:timers/promises";
import type { ExpertCallCode } from "@octet/engine";
import type { Logger } from "@octet/telemetry";
import { openWorkerLink, WorkerLinkError } from "./open-worker-link.ts";
import type { CallHolder, PendingCall } from "./pending-call.ts";
import { PostponedCalls } from "./postponed-calls.ts";
import type { ExpectedWorkers, PlacedWorker, WorkerDescription } from "./worker-description.ts";
import type { WorkerLink } from "./worker-link.ts";

/** How patient a connection is, in ms. */
export interface ConnectionTimes {
  /** Longest one attempt may take. */
  readonly openTimeoutMs: number;
  /** How long calls wait for a worker that is not connected; then they fail at once. */
  readonly connectWaitMs: number;
  /** Pause after the first failed attempt; it doubles up to `retryMaxMs`. */
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
}

/**
 * - connecting: not reached yet, or lost, for less than connectWaitMs; calls wait for it
 * - ready: connected and checked
 * - down: out of reach for longer, or refused; calls fail at once, attempts go on
 */
export type WorkerState = "connecting" | "ready" | "down";

/** One worker as the coordinator sees it. */
export interface WorkerStatus extends PlacedWorker {
  readonly state: WorkerState;
  /** Why it is not, or was last not, connected. */
  readonly lastError: string | undefined;
  /** What it said when it was last connected to. */
  readonly description: WorkerDescription | undefined;
}

/** What a connection is made with. */
export interface WorkerConnectionOptions {
  readonly placed: PlacedWorker;
  readonly expected: ExpectedWorkers;
  readonly times: ConnectionTimes;
  readonly log: Logger;
  onChange(): void;
}

/** One worker, connected as often as it takes, until it is closed. */
export class WorkerConnection implements CallHolder {
  readonly #options: WorkerConnectionOptions;
  readonly #waiting = new Set<PendingCall>();
  readonly #postponed: PostponedCalls;
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;
  #state: WorkerState = "connecting";
  #link: WorkerLink | undefined;
  #lastFailure: { code: ExpertCallCode; detail: string } | undefined;
  #description: WorkerDescription | undefined;

  constructor(options: WorkerConnectionOptions) {
    this.#options = options;
    this.#postponed = new PostponedCalls(options.placed.address, (call) => this.forward(call));
    this.#done = this.#keepConnected();
  }

  get status(): WorkerStatus {
    const { placed } = this.#options;
    return {
      ...placed,
      ...(this.workerId === undefined ? {} : { workerId: this.workerId }),
      state: this.#state,
      lastError: this.#lastFailure?.detail,
      description: this.#description,
    };
  }

  get workerId(): string | undefined {
    return this.#description?.workerId ?? this.#options.placed.workerId;
  }

  forward(call: PendingCall): void {
    if (this.#link !== undefined) {
      this.#link.send(call);
      return;
    }
    call.moveTo(this);
    if (this.#abort.signal.aborted) call.reject("cancelled", "the client is closed");
    else if (this.#state === "connecting") this.#waiting.add(call);
    else {
      const { code, detail } = this.#explainAway();
      call.reject(code, detail);
    }
  }

  release(call: PendingCall): void {
    this.#waiting.delete(call);
  }

  /** A call that was never sent is not late: its worker is away. */
  explainLate() {
    return this.#explainAway();
  }

  /** Ends the stream; calls under way or waiting reject with "cancelled". */
  async close(): Promise<void> {
    this.#abort.abort();
    this.#link?.close();
    this.#link = undefined;
    for (const call of this.#waiting) call.reject("cancelled", "the client was closed");
    this.#waiting.clear();
    this.#postponed.close();
    await this.#done;
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      const impatience = setTimeout(() => this.#goDown(), this.#options.times.connectWaitMs);
      const link = await this.#connect(signal);
      clearTimeout(impatience);
      if (link === undefined) return;
      if (signal.aborted) {
        link.close();
        return;
      }
      this.#becomeReady(link);
      const why = await link.lost;
      if (!signal.aborted) this.#becomeLost(why);
    }
  }

  /** Tries until it succeeds or is told to stop. */
  async #connect(signal: AbortSignal): Promise<WorkerLink | undefined> {
    const { placed, expected, times } = this.#options;
    const { openTimeoutMs, retryMinMs, retryMaxMs } = times;
    const onDeviceLost = (call: PendingCall, detail: string) => this.#postponed.add(call, detail);
    for (let pauseMs = retryMinMs; !signal.aborted; pauseMs = Math.min(2 * pauseMs, retryMaxMs)) {
      try {
        const { link, description } = await openWorkerLink(
          { placed, expected, openTimeoutMs, onDeviceLost },
          signal,
        );
        this.#description = description;
        return link;
      } catch (error) {
        if (!(error instanceof WorkerLinkError)) throw error;
        if (!signal.aborted) this.#noteFailure(error);
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => {}); // aborted: the loop ends
    }
    return undefined;
  }

  #noteFailure({ code, message }: WorkerLinkError): void {
    const isNews = this.#lastFailure?.detail !== message;
    this.#lastFailure = { code, detail: message };
    // A worker that answers and may not be used will not become right by waiting a little.
    if (code === "not-held" && this.#state !== "down") this.#goDown();
    else if (isNews) this.#options.onChange();
  }

  #goDown(): void {
    if (this.#state === "down") return;
    this.#state = "down";
    const { placed, log, onChange } = this.#options;
    const { code, detail } = this.#explainAway();
    const fields = { workerId: this.workerId, address: placed.address, errorCode: code, detail };
    log.warn("worker down", fields);
    for (const call of this.#waiting) call.reject(code, detail);
    this.#waiting.clear();
    onChange();
  }

  #becomeReady(link: WorkerLink): void {
    const { placed, log, onChange } = this.#options;
    this.#link = link;
    this.#state = "ready";
    const { workerId } = this;
    log.info("worker connected", {
      workerId,
      address: placed.address,
      channel: link.channelKind,
      engine: this.#description?.engineKind,
      device: this.#description?.device,
    });
    for (const call of this.#waiting) link.send(call);
    this.#waiting.clear();
    onChange();
  }

  #becomeLost(why: string): void {
    const { placed, log, onChange } = this.#options;
    this.#link = undefined;
    this.#state = "connecting";
    this.#lastFailure = { code: "unavailable", detail: why };
    log.warn("worker lost", { workerId: this.workerId, address: placed.address, detail: why });
    onChange();
  }

  #explainAway(): { code: ExpertCallCode; detail: string } {
    const { address } = this.#options.placed;
    if (this.#lastFailure?.code === "not-held") {
      return { code: "not-held", detail: `${address} is not usable: ${this.#lastFailure.detail}` };
    }
    const why = this.#lastFailure?.detail ?? "no answer yet";
    return { code: "unavailable", detail: `not connected to ${address}: ${why}` };
  }
}

// The other end of a grammar thread: one request at a time, each with its limit.
import { Worker } from "node:worker_threads";
import { ConstraintError } from "../constraint-error.ts";
import type { ThreadReply, ThreadRequest, ThreadSettings } from "./thread-messages.ts";

interface Job {
  readonly request: ThreadRequest;
  readonly limit: { readonly name: string; readonly ms: number };
  readonly resolve: (isComplete: boolean) => void;
  readonly reject: (error: ConstraintError) => void;
}

/** How a request ended that has no answer. */
const gone = "the thread that followed this answer's grammar was ended by another; try again";

/** A thread; once it breaks or overruns, it is ended for good. */
export class ThreadHandle {
  /** Matchers that live on it. */
  numMatchers = 0;
  readonly #worker: Worker;
  readonly #onEnded: () => void;
  /** Masks go before compiling: answers under way wait for them. */
  readonly #masks: Job[] = [];
  readonly #others: Job[] = [];
  #current: Job | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isEnded = false;

  constructor(settings: ThreadSettings, onEnded: () => void) {
    this.#onEnded = onEnded;
    const url = new URL("./grammar-thread.ts", import.meta.url);
    this.#worker = new Worker(url, { name: "grammar", workerData: settings });
    this.#worker.unref();
    this.#worker.on("message", (reply: ThreadReply) => this.#take(reply));
    this.#worker.on("error", (error) => {
      this.#end(new ConstraintError("failed", `the grammar thread failed: ${error.message}`));
    });
    this.#worker.on("exit", () => this.#end(new ConstraintError("failed", gone)));
  }

  /**
   * @returns whether the answer is complete
   * @throws {ConstraintError} "invalid-grammar" with the reason or the limit that was exceeded;
   *   "failed" if the thread ended for another's sake
   */
  run(request: ThreadRequest, limit: { name: string; ms: number }): Promise<boolean> {
    return new Promise((resolve, reject) => {
      if (this.#isEnded) {
        reject(new ConstraintError("failed", gone));
        return;
      }
      const jobs = request.kind === "advance" ? this.#masks : this.#others;
      jobs.push({ request, limit, resolve, reject });
      this.#next();
    });
  }

  /** Lets go of a matcher. */
  closeMatcher(matcherId: number): void {
    this.numMatchers -= 1;
    if (!this.#isEnded) this.#worker.postMessage({ kind: "close", matcherId });
  }

  async close(): Promise<void> {
    this.#end(new ConstraintError("failed", "the server is ending"));
    await this.#worker.terminate();
  }

  #next(): void {
    if (this.#current !== undefined) return;
    const job = this.#masks.shift() ?? this.#others.shift();
    if (job === undefined) return;
    this.#current = job;
    const { name, ms } = job.limit;
    this.#timer = setTimeout(() => {
      this.#end(new ConstraintError("failed", gone), {
        job,
        error: new ConstraintError("invalid-grammar", `it takes longer than ${name}, ${ms} ms`),
      });
    }, ms);
    this.#timer.unref();
    this.#worker.postMessage(job.request);
  }

  #take(reply: ThreadReply): void {
    const job = this.#current;
    if (job === undefined) return;
    clearTimeout(this.#timer);
    if (reply.kind === "broken") {
      const error = new ConstraintError("invalid-grammar", reply.reason);
      this.#end(new ConstraintError("failed", gone), { job, error });
      return;
    }
    this.#current = undefined;
    if (reply.kind === "done") job.resolve(reply.isComplete);
    else job.reject(new ConstraintError("invalid-grammar", reply.reason));
    this.#next();
  }

  /** The one that broke it hears why, the others that it was not their fault. */
  #end(error: ConstraintError, cause?: { job: Job; error: ConstraintError }): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearTimeout(this.#timer);
    const jobs = [this.#current, ...this.#masks, ...this.#others];
    for (const job of jobs) job?.reject(job === cause?.job ? cause.error : error);
    void this.#worker.terminate();
    this.#onEnded();
  }
}

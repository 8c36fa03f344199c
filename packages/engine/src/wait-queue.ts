// Who waits for a place in the batch, who is next, and who is sent away.
import { AdmissionRate } from "./admission-rate.ts";
import { EngineError } from "./engine-error.ts";
import { byUrgency, lateness, type Schedulable } from "./schedulable.ts";

/** How many may wait, and for how long. */
export interface WaitLimits {
  readonly queuedSequencesMax: number;
  readonly queueWaitMs: number;
}

/**
 * A bounded queue. Lower priorities go first; among equals those who were in the batch before, in
 * the order they came, then the client that was given least, and its first.
 *
 * Those who were in the batch before have begun their answers: they are neither counted nor sent
 * away, and are no more than the batch had room for.
 */
export class WaitQueue<S extends Schedulable> {
  readonly #limits: WaitLimits;
  readonly #given: (clientId: string) => number;
  readonly #rate = new AdmissionRate();
  #waiting: S[] = [];

  /** @param given how much a client was given so far; only the order means anything */
  constructor(limits: WaitLimits, given: (clientId: string) => number) {
    this.#limits = limits;
    this.#given = given;
  }

  /** In no order that means anything. */
  get waiting(): readonly S[] {
    return this.#waiting;
  }

  /**
   * Adds a new one. If the queue is full, somebody is refused: of the least urgent, the client that
   * has most waiting loses its last, so that nobody can fill the queue against the others.
   *
   * @throws {EngineError} "overloaded" if that is the one who came; "deadline-exceeded" if it came
   *   too late
   */
  submit(sequence: S, nowMs: number): void {
    const late = lateness(sequence, nowMs);
    if (late !== undefined) throw late;
    this.#dropLate(nowMs);
    this.#waiting.push(sequence);
    const counted = this.#waiting.filter(({ isNew }) => isNew);
    if (counted.length <= this.#limits.queuedSequencesMax) return;
    const refused = lastOfTheMany(counted);
    this.#waiting = this.#waiting.filter((waiting) => waiting !== refused);
    const { queuedSequencesMax } = this.#limits;
    const error = this.#overloaded(
      `the queue is full: ${queuedSequencesMax} requests are waiting; ask again later`,
      nowMs,
      { max: queuedSequencesMax, found: counted.length },
    );
    if (refused === sequence) throw error;
    refused.fail(error);
  }

  /** Takes back who was in the batch. */
  requeue(sequence: S): void {
    this.#waiting.push(sequence);
  }

  /** Lets go of who has ended, waited too long, or is past its deadline. */
  expire(nowMs: number): void {
    this.#dropLate(nowMs);
    const { queueWaitMs } = this.#limits;
    for (const sequence of this.#waiting) {
      if (!sequence.isNew || nowMs - sequence.submittedMs <= queueWaitMs) continue;
      const detail = `waited more than ${queueWaitMs} ms for free KV blocks; ask again later`;
      sequence.fail(this.#overloaded(detail, nowMs));
    }
    this.#dropEnded();
  }

  /** Who is to be let in next. */
  next(): S | undefined {
    let first: S | undefined;
    for (const sequence of this.#waiting) {
      if (first === undefined || this.#isBefore(sequence, first)) first = sequence;
    }
    return first;
  }

  /** It was let in. */
  remove(sequence: S, nowMs: number): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting !== sequence);
    if (sequence.isNew) this.#rate.note(nowMs);
  }

  #isBefore(a: S, b: S): boolean {
    if (a.priority !== b.priority) return a.priority < b.priority;
    if (a.isNew !== b.isNew) return b.isNew;
    if (a.isNew) {
      const more = this.#given(a.clientId) - this.#given(b.clientId);
      if (more !== 0) return more < 0;
    }
    return a.id < b.id;
  }

  /** Whose answers nobody waits for. */
  #dropLate(nowMs: number): void {
    for (const sequence of this.#waiting) {
      const late = lateness(sequence, nowMs);
      if (late !== undefined) sequence.fail(late);
    }
    this.#dropEnded();
  }

  #dropEnded(): void {
    this.#waiting = this.#waiting.filter(({ isEnded }) => !isEnded);
  }

  #overloaded(
    detail: string,
    nowMs: number,
    limit?: { readonly max: number; readonly found: number },
  ): EngineError {
    const retryAfterMs = this.#rate.retryAfterMs(nowMs, this.#waiting.length);
    return new EngineError("overloaded", detail, { retryAfterMs, ...(limit && { limit }) });
  }
}

/** Of the least urgent, the last of the client that has most of them. */
function lastOfTheMany<S extends Schedulable>(waiting: readonly S[]): S {
  const priority = Math.max(...waiting.map((sequence) => sequence.priority));
  const candidates = waiting.filter((sequence) => sequence.priority === priority);
  const counts = new Map<string, number>();
  for (const { clientId } of candidates) counts.set(clientId, (counts.get(clientId) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return candidates
    .filter(({ clientId }) => counts.get(clientId) === most)
    .toSorted(byUrgency)
    .at(-1)!;
}

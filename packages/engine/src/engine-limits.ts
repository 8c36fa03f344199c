// What bounds the engine, and the defaults.
import assert from "node:assert/strict";
import { rowsPerCallMax } from "@octet/core";

/** What bounds the engine. Each is positive; none may be "unlimited". */
export interface EngineLimits {
  /** Most tokens in one step, and so rows in one expert call; at most rowsPerCallMax. */
  readonly stepTokensMax: number;
  /** Most sequences in one step; at most stepTokensMax, so that none starves. */
  readonly activeSequencesMax: number;
  /** Most requests that wait for KV blocks; more are refused as "overloaded". */
  readonly queuedSequencesMax: number;
  /** Longest a request waits for KV blocks before it is refused as "overloaded". */
  readonly queueWaitMs: number;
  /** Longest that one step waits for one expert in vain, whatever it asks. */
  readonly expertDeadlineMs: number;
  /** Besides, for each row that it asks: prefill takes a slow machine its time. */
  readonly expertRowMs: number;
  /** Longest that a sequence waits for its constraint to say which tokens may come. */
  readonly maskDeadlineMs: number;
  /** Fewest sequences of a step that may be computed in two halves. */
  readonly halvedSequencesMin: number;
  /** Most tokens that are guessed of one sequence at a time. */
  readonly draftTokensMax: number;
  /** Most rows of a step in which guesses are checked: those that others need come first. */
  readonly draftedRowsMax: number;
  /** Longest sequence, prompt and answer; the model and the KV pool may allow less. */
  readonly contextTokensMax: number;
}

/** The limits of an engine that is given none; the context is the model's. */
export const defaultLimits: EngineLimits = {
  // A chunk of prefill this long keeps an expert's matrices busy without making decodes wait long.
  stepTokensMax: 512,
  activeSequencesMax: 64,
  queuedSequencesMax: 256,
  queueWaitMs: 60_000,
  expertDeadlineMs: 10_000,
  // A row of Mixtral 8x7B is 0.35 GFLOP a layer: 3.5 GFLOP/s, less than any one core of today.
  expertRowMs: 100,
  // A mask takes some ten microseconds; a grammar at its worst, or a busy machine, much longer.
  maskDeadlineMs: 5_000,
  // Of fewer, a half asks few experts, and for a row or two each.
  halvedSequencesMin: 8,
  draftTokensMax: 8,
  // Of more rows, each costs about what it brings: an expert's weights are no longer what it waits for.
  draftedRowsMax: 32,
  contextTokensMax: Number.MAX_SAFE_INTEGER,
};

/** @throws {AssertionError} naming the limit that is out of range */
export function checkLimits(limits: EngineLimits): void {
  for (const [name, value] of Object.entries(limits)) {
    assert(value > 0 && Number.isSafeInteger(value), `${name}: expected 1 or more, found ${value}`);
  }
  const { stepTokensMax, activeSequencesMax } = limits;
  assert(
    stepTokensMax <= rowsPerCallMax,
    `stepTokensMax: expected at most ${rowsPerCallMax}, found ${stepTokensMax}`,
  );
  assert(
    activeSequencesMax <= stepTokensMax,
    `activeSequencesMax: expected at most ${stepTokensMax}, found ${activeSequencesMax}`,
  );
}

// Expert calls over the network against a raw TCP echo of the same bytes, in turns, in one run.
import type { ActivationRows } from "@octet/core";
import { median, summarise } from "../harness/statistics.ts";
import { type ForwardCalls, openForwardCalls } from "./forward-calls.ts";
import { identityModel } from "./identity-model.ts";
import { cores, pin } from "./placement.ts";
import { openRawEcho, type RawEcho } from "./raw-echo.ts";

/** What one comparison found. All times are in µs. */
export interface TransportMeasurement {
  readonly name: TransportCase;
  /** Medians of our calls, one for each turn; of the eight together where they are eight. */
  readonly callUs: readonly number[];
  /** Medians of the raw echo of one call's bytes, each right before the turn of our calls. */
  readonly echoUs: readonly number[];
  /** 95th percentiles over all turns. */
  readonly callP95Us: number;
  readonly echoP95Us: number;
  /** Whether both ran with their two ends on different cores, whatever the scheduler prefers. */
  readonly isPinned: boolean;
}

/** Names of what can be measured. */
export type TransportCase = "call-8k-1" | "call-8k-8" | "call-4m";

interface CaseShape {
  readonly rows: number;
  /** Workers asked at once. */
  readonly workers: number;
  /** Calls of one kind before it is the other's turn. */
  readonly turn: number;
  readonly turns: number;
}

const cases: Readonly<Record<TransportCase, CaseShape>> = {
  "call-8k-1": { rows: 1, workers: 1, turn: 50, turns: 100 },
  "call-8k-8": { rows: 1, workers: 8, turn: 20, turns: 100 },
  "call-4m": { rows: 512, workers: 1, turn: 2, turns: 60 },
};

/** Every case there is. */
export const transportCases = Object.keys(cases) as TransportCase[];

/** Time at the start that is not counted: code is compiled, in eight workers as much as here. */
const warmUpMs = 4_000;

/** Runs the cases one after another; starts a raw echo and eight workers, and ends them. */
export async function measureTransport(
  names: readonly TransportCase[] = transportCases,
): Promise<TransportMeasurement[]> {
  await using echo = await openRawEcho();
  await using calls = await openForwardCalls();
  const measurements: TransportMeasurement[] = [];
  try {
    for (const name of names) measurements.push(await measureCase(name, echo, calls));
  } finally {
    pin(process.pid, cores.all);
  }
  return measurements;
}

/** One worker is opposite to us, as the echo is; of several, some must share our core. */
function place(echo: RawEcho, calls: ForwardCalls, workers: number): boolean {
  const workerCores = workers === 1 ? cores.far : cores.all;
  const pinned = [pin(process.pid, cores.near), pin(echo.pid, cores.far)];
  for (const pid of calls.pids) pinned.push(pin(pid, workerCores));
  return pinned.every(Boolean);
}

async function measureCase(
  name: TransportCase,
  echo: RawEcho,
  calls: ForwardCalls,
): Promise<TransportMeasurement> {
  const { rows, workers, turn, turns } = cases[name];
  const input = inputOf(rows);
  const isPinned = place(echo, calls, workers);
  const echoTurn = () => timeTurn(() => echo.call(input.data), turn);
  const callTurn = () => timeTurn(() => calls.call(input, workers), turn);
  const warmAtMs = performance.now() + warmUpMs;
  while (performance.now() < warmAtMs) {
    await echoTurn();
    await callTurn();
  }
  const echoes: number[][] = [];
  const asked: number[][] = [];
  for (let i = 0; i < turns; i++) {
    echoes.push(await echoTurn());
    asked.push(await callTurn());
  }
  return {
    name,
    callUs: asked.map(median),
    echoUs: echoes.map(median),
    callP95Us: summarise(asked.flat()).p95,
    echoP95Us: summarise(echoes.flat()).p95,
    isPinned,
  };
}

async function timeTurn(run: () => Promise<void>, times: number): Promise<number[]> {
  const tookUs: number[] = [];
  for (let i = 0; i < times; i++) {
    const startedAtMs = performance.now();
    await run();
    tookUs.push((performance.now() - startedAtMs) * 1000);
  }
  return tookUs;
}

function inputOf(rows: number): ActivationRows {
  const width = identityModel.hiddenSize;
  return { dtype: "bf16", rows, width, data: new Uint8Array(rows * width * 2).fill(0x3f) };
}

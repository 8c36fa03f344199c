// What `npm run bench` may be told.
import { parseArgs } from "node:util";

/** A command line that makes no sense; the message says what would. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The command line, checked. */
export interface BenchArguments {
  readonly action: "run" | "list" | "help" | "gpu-counts";
  /** Whether to print JSON lines on standard output instead of the table. */
  readonly json: boolean;
  /** Names of what to run, in the registry's order. */
  readonly names: readonly string[];
  /** How often each comparison is made, after a warm-up. */
  readonly pairs: number;
}

const pairsDefault = 5;
const pairsMax = 1000;

/** Printed by --help. */
export const usage = `npm run bench -- [--only NAME]... [--json] [--pairs N] [--list]

Measures Octet beside llama.cpp and beside what this machine can do at most, in one run.
Progress goes to standard error. The first run makes models of about 10 GB in test/bench/build
and installs llama.cpp below test/bench/peer.

  --only NAME   run this one; may be repeated
  --json        one JSON object a line on standard output, and nothing else there
  --pairs N     compare N times, after a warm-up (default ${pairsDefault})
  --list        the names, and what each of them is
  --engine webgpu --counts
                count dispatches, submits, read-backs, bytes of weights and new objects of the
                GPU engines, on SwiftShader, instead of measuring; exits 1 beyond a limit
  --help        this

To keep other output away: npm run -s bench -- --json
`;

/**
 * @param argv without the program's own name
 * @param known every name there is
 * @throws {UsageError}
 */
export function parseBenchArguments(
  argv: readonly string[],
  known: readonly string[],
): BenchArguments {
  const { only, json, pairs, list, help, engine, counts } = parseFlags(argv);
  const isGpu = wantsGpuCounts({ engine, counts });
  const unknown = only.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new UsageError(
      `no benchmark is named ${unknown.join(", ")}; expected one of\n  ${known.join("\n  ")}`,
    );
  }
  return {
    action: help ? "help" : list ? "list" : isGpu ? "gpu-counts" : "run",
    json,
    names: only.length === 0 ? known : known.filter((name) => only.includes(name)),
    pairs: pairs === undefined ? pairsDefault : parsePairs(pairs),
  };
}

function parseFlags(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        only: { type: "string", multiple: true, default: [] },
        json: { type: "boolean", default: false },
        pairs: { type: "string" },
        list: { type: "boolean", default: false },
        engine: { type: "string" },
        counts: { type: "boolean", default: false },
        help: { type: "boolean", default: false, short: "h" },
      },
    });
    return values;
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`${detail}\n\n${usage}`, { cause });
  }
}

/** Speeds of GPU kernels are the octet command's to measure, on the GPU that is there. */
function wantsGpuCounts(flags: {
  readonly engine: string | undefined;
  readonly counts: boolean;
}): boolean {
  const { engine, counts } = flags;
  if (engine === undefined && !counts) return false;
  if (engine === "webgpu" && counts) return true;
  throw new UsageError(
    "expected --engine webgpu and --counts together; the speed of GPU kernels is measured by " +
      "octet bench --engine webgpu",
  );
}

function parsePairs(text: string): number {
  const pairs = /^\d+$/.test(text) ? Number(text) : 0;
  if (pairs >= 1 && pairs <= pairsMax) return pairs;
  throw new UsageError(`--pairs: expected 1 to ${pairsMax}, found "${text}"`);
}

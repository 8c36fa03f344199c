// The octet command as a script would call it.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../packages/cli/src/main.ts", import.meta.url));

/** Everything a finished command leaves. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `octet ARGS` with its own cache folder, in its own process group. */
export function startOctet(
  args: readonly string[],
  cacheDir: string,
): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [main, ...args], {
    env: { ...process.env, XDG_CACHE_HOME: cacheDir, NO_COLOR: "1" },
    stdio: "pipe",
    detached: true,
  });
}

/** Runs `octet ARGS` to its end. */
export async function runOctet(
  args: readonly string[],
  options: { cacheDir: string; input?: string },
): Promise<CommandResult> {
  const child = startOctet(args, options.cacheDir);
  child.stdin.end(options.input ?? "");
  const [code, stdout, stderr] = await Promise.all([
    new Promise<number | null>((resolve) => child.once("close", (exitCode) => resolve(exitCode))),
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, stdout, stderr };
}

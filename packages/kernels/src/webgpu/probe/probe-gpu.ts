// Which GPUs this machine offers, found out without risk to the process that asks.
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { GpuAdapter } from "./gpu-adapter.ts";

/** What {@link probeGpu} found. */
export interface GpuProbe {
  readonly adapters: readonly GpuAdapter[];
  /** What went wrong: Dawn could not be loaded, a driver ended the process or did not answer. */
  readonly failures: readonly string[];
  /** What the loader and drivers said on standard error, each line once. */
  readonly messages: readonly string[];
}

/** How a probe is made; the defaults are for everything but tests. */
export interface GpuProbeOptions {
  /** The environment that drivers are looked for with. Default: this process's. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Longest that one question may take, in ms. */
  readonly timeoutMs?: number;
  /** The program that is asked. */
  readonly child?: string;
}

const defaultTimeoutMs = 30_000;
const defaultChild = fileURLToPath(new URL("probe-child.ts", import.meta.url));

interface ListedAdapter {
  readonly backend: string;
  readonly name: string;
}

/**
 * Asks Dawn for its adapters, and each of them for its features, limits, and whether it runs a
 * small shader. Every question is asked by a child process, since a driver may abort or hang; what
 * happened to it is among the failures. Never rejects.
 */
export async function probeGpu(options: GpuProbeOptions = {}): Promise<GpuProbe> {
  const adapters: GpuAdapter[] = [];
  const failures: string[] = [];
  const messages = new Set<string>();
  const ask = async (what: string, args: readonly string[]) => {
    const answer = await askChild(args, options);
    for (const line of answer.messages) messages.add(line);
    if (answer.failure !== undefined) failures.push(`${what}: ${answer.failure}`);
    return answer.said;
  };
  const listed = (await ask("listing adapters", ["list"]))?.adapters;
  for (const { backend, name } of (listed ?? []) as ListedAdapter[]) {
    const said = await ask(`${name} (${backend})`, ["describe", backend, name]);
    if (said?.adapter !== undefined) adapters.push(said.adapter as GpuAdapter);
  }
  return { adapters, failures, messages: [...messages] };
}

interface ChildAnswer {
  readonly said: Readonly<Record<string, unknown>> | undefined;
  readonly failure: string | undefined;
  readonly messages: readonly string[];
}

async function askChild(args: readonly string[], options: GpuProbeOptions): Promise<ChildAnswer> {
  const { timeoutMs = defaultTimeoutMs } = options;
  const child = spawn(process.execPath, [options.child ?? defaultChild, ...args], {
    env: options.environment ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  const ended = new Promise<string | undefined>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => {
      if (signal === "SIGKILL") resolve(`no answer within ${timeoutMs} ms, or it was killed`);
      else if (signal !== null) resolve(`the process was ended by ${signal}`);
      else resolve(code === 0 ? undefined : `the process ended with code ${code}`);
    });
  });
  const [failure, stdout, stderr] = await Promise.all([
    ended,
    text(child.stdout),
    text(child.stderr),
  ]);
  // Without the places in Dawn's source that warnings are followed by.
  const messages = stderr.split("\n").filter((line) => line.trim() !== "" && !/^\s+at /.test(line));
  if (failure !== undefined) return { said: undefined, failure, messages };
  return { ...parseAnswer(stdout), messages };
}

function parseAnswer(stdout: string): Pick<ChildAnswer, "said" | "failure"> {
  try {
    // Drivers write to standard output too; the answer is the last line.
    const said = JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
    return typeof said.failure === "string"
      ? { said: undefined, failure: said.failure }
      : { said, failure: undefined };
  } catch {
    return { said: undefined, failure: `expected a line of JSON, found ${stdout.slice(0, 200)}` };
  }
}

// The C++ compiler: found, asked for its version, and run on several files at once.
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";

/** A command with the arguments that belong to it: CXX may be "ccache g++". */
export interface Compiler {
  readonly command: string;
  readonly args: readonly string[];
  /** First line of `--version`. */
  readonly version: string;
}

/** A failure whose message is for the person who builds; no stack is wanted. */
export class BuildError extends Error {
  override readonly name = "BuildError";
}

/** @throws {BuildError} if there is no compiler, or it does not answer */
export async function findCompiler(cxx: string | undefined): Promise<Compiler> {
  const [command = "c++", ...args] = (cxx ?? "").split(/\s+/).filter((word) => word !== "");
  const answer = await run(command, [...args, "--version"]).catch((error: unknown) => {
    throw new BuildError(
      `no C++ compiler: could not run "${command}"; install g++ (or clang++), or set CXX`,
      { cause: error },
    );
  });
  return { command, args, version: answer.split("\n")[0] ?? "" };
}

/** Runs the compiler once; resolves with what it printed. */
export function compile(compiler: Compiler, args: readonly string[]): Promise<string> {
  return run(compiler.command, [...compiler.args, ...args]);
}

/** Calls `work` for every item, as many at a time as there are processors. */
export async function forEachInParallel<T>(
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = items.values();
  const lanes = Array.from({ length: Math.min(availableParallelism(), items.length) }, async () => {
    for (const item of queue) await work(item);
  });
  await Promise.all(lanes);
}

/** @throws {BuildError} with the command and its output, if it does not end with status 0 */
export function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.on("error", reject);
    child.on("close", (status, signal) => {
      if (status === 0) resolve(output);
      else {
        const end = status === null ? `ended by ${signal}` : `ended with status ${status}`;
        reject(new BuildError(`${command} ${args.join(" ")}\n${output}${command} ${end}`));
      }
    });
  });
}

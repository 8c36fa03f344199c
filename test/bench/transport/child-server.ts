// A server in a process of its own, for as long as it is measured.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** A child that listens. */
export interface ChildServer extends AsyncDisposable {
  /** host:port */
  readonly address: string;
  readonly pid: number;
}

/** Starts a script of this folder that prints its address once it listens. */
export async function startChildServer(
  script: string,
  args: readonly string[] = [],
): Promise<ChildServer> {
  const child = spawn(process.execPath, [join(import.meta.dirname, script), ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const [line] = await Promise.race([
    once(child.stdout, "data"),
    exited.then(([code]) => Promise.reject(new Error(`${script} ended with code ${code}`))),
  ]);
  return {
    address: String(line).trim(),
    pid: child.pid!,
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await exited;
    },
  };
}

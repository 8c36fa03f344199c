// Installs the clients that other people wrote: only these tests need them, so they are no part of
// the workspace.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const folder = import.meta.dirname;

/** Where Node's clients are, and the suites that use them. */
export const nodeFolder = join(folder, "node");
/** Where Python's are. */
export const pythonFolder = join(folder, "python");
/** The interpreter that has them. */
export const python = join(pythonFolder, ".venv", "bin", "python");

/** Installs what the lockfile says, unless it is there. */
export async function installNodeClients(): Promise<void> {
  await unlessInstalled(join(nodeFolder, "package-lock.json"), join(nodeFolder, "node_modules"), [
    ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
  ]);
}

/**
 * Installs what requirements.txt says into a virtual environment, unless it is there.
 *
 * @throws {Error} if there is no python3 with venv, 3.10 or newer
 */
export async function installPythonClients(): Promise<void> {
  await unlessInstalled(join(pythonFolder, "requirements.txt"), join(pythonFolder, ".venv"), [
    ["python3", "-m", "venv", "--clear", ".venv"],
    [python, "-m", "pip", "install", "--quiet", "--no-deps", "--requirement", "requirements.txt"],
  ]);
}

async function unlessInstalled(
  lockFile: string,
  installedFolder: string,
  commands: readonly [command: string, ...args: string[]][],
): Promise<void> {
  const stampFile = join(installedFolder, ".octet-installed");
  const stamp = createHash("sha256")
    .update(await readFile(lockFile))
    .digest("hex");
  if ((await readFile(stampFile, "utf8").catch(() => undefined)) === stamp) return;
  for (const command of commands) {
    const { status, output } = await runToEnd(command, { cwd: join(installedFolder, "..") });
    if (status === 0) continue;
    throw new Error(`${command.join(" ")} ended with ${status}; is it installed?\n${output}`);
  }
  await writeFile(stampFile, stamp);
}

/** Runs a command; what it says on either stream is returned. */
export async function runToEnd(
  [command, ...args]: readonly [command: string, ...args: string[]],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<{ status: number | null; output: string }> {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const [status] = await once(child, "close").catch((error: Error) => {
    output += error.message;
    return [null];
  });
  return { status, output };
}

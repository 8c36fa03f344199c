// Installs llama.cpp for the benchmarks: only they need it, so it is no part of the workspace.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const peerFolder = fileURLToPath(new URL(".", import.meta.url));
const pnpm = fileURLToPath(new URL("../../../node_modules/.bin/pnpm", import.meta.url));
const stampFile = join(peerFolder, "node_modules", ".octet-installed");

/**
 * Installs what the peer's lockfile says, unless it is there.
 *
 * @param say told before anything is downloaded
 * @throws {Error} with the installer's output, if it fails
 */
export async function installPeer(say: (text: string) => void): Promise<void> {
  const lockfile = await readFile(join(peerFolder, "pnpm-lock.yaml"));
  const stamp = createHash("sha256").update(lockfile).digest("hex");
  const installed = await readFile(stampFile, "utf8").catch(() => undefined);
  if (installed === stamp) return;
  say("installing llama.cpp below test/bench/peer (once; about 100 MB)");
  const args = ["install", "--frozen-lockfile"];
  const child = spawn(pnpm, args, { cwd: peerFolder, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const [status] = await once(child, "close");
  if (status !== 0) {
    throw new Error(`llama.cpp could not be installed (pnpm ended with ${status}):\n${output}`);
  }
  await writeFile(stampFile, stamp);
}

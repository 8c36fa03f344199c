// Installs SwiftShader, on which the tests of the GPU engine run, from Debian's packages.
import { spawnSync } from "node:child_process";
import {
  findSwiftShader,
  swiftShaderPackages,
} from "../packages/kernels/src/webgpu/device/swiftshader.ts";

/**
 * Does nothing if it is there. Where this process may not install packages it says what to run; the
 * tests that need SwiftShader then fail, and say so too.
 */
export function installSwiftShader(): void {
  if (findSwiftShader() !== undefined) return;
  const install = ["install", "--yes", "--no-install-recommends", ...swiftShaderPackages];
  if (process.getuid?.() !== 0) {
    say(`the GPU engine's tests need SwiftShader; as root, run: apt-get ${install.join(" ")}`);
    return;
  }
  say(`installing ${swiftShaderPackages.join(" and ")} for the GPU engine's tests (once)`);
  // Lists of packages may be missing or old: refreshed only if the install fails as things are.
  if (aptGet(install) || (aptGet(["update"]) && aptGet(install))) return;
  say("SwiftShader could not be installed; apt-get's messages are above");
}

function aptGet(args: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const { status } = spawnSync("apt-get", ["-q", ...args], {
    env,
    stdio: ["ignore", process.stderr, process.stderr],
  });
  return status === 0;
}

function say(text: string): void {
  process.stderr.write(`octet: ${text}\n`);
}

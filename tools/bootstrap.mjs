// Makes a fresh clone ready, then runs a command with the project's own Node first on the PATH.
// Plain JavaScript for Node 18 and newer: it runs before anything has been installed.
// Usage: node tools/bootstrap.mjs [-- COMMAND ARG...]
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const invokedFrom = process.env.INIT_CWD ?? process.cwd();
const binFolder = join(root, "node_modules", ".bin");
const stampFile = join(root, "node_modules", ".octet-installed");

const builtFile = join(root, "packages", "kernels", "build");

/** Everything on standard error: standard output belongs to the command. */
function say(text) {
  process.stderr.write(`octet: ${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}

/** Changes whenever an install could bring something else. */
function installFingerprint() {
  const hash = createHash("sha256");
  for (const file of ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml"]) {
    hash.update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

function run(command, args, env) {
  const child = spawnSync(command, args, {
    cwd: root,
    env,
    stdio: ["ignore", process.stderr, process.stderr],
    shell: process.platform === "win32",
  });
  if (child.error) fail(`could not run ${command}: ${child.error.message}`);
  return child.status === 0;
}

function install(env) {
  const fingerprint = installFingerprint();
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === fingerprint) return;
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  say(`installing dependencies with ${packageManager} (once; about a minute)`);
  if (!run("npx", ["--yes", packageManager, "install", "--frozen-lockfile"], env)) {
    fail("the install failed; its messages are above. Is the npm registry reachable?");
  }
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, fingerprint);
}

/** Turbo builds what its inputs say is stale; quiet unless it fails or takes long. */
function build(env) {
  const stale = !existsSync(builtFile);
  if (stale) say("building the native kernels (once; about a minute)");
  const child = spawnSync("turbo", ["run", "build", "--output-logs=errors-only"], {
    cwd: root,
    env,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (child.status === 0) return;
  process.stderr.write(`${child.stdout ?? ""}${child.stderr ?? ""}`);
  fail("the build failed; its messages are above. A C++17 compiler (c++, or $CXX) is needed.");
}

const [major] = process.versions.node.split(".").map(Number);
if (major < 18) fail(`needs Node 18 or newer to install itself; this is ${process.version}`);

const env = {
  ...process.env,
  PATH: `${binFolder}${delimiter}${process.env.PATH ?? ""}`,
  TURBO_TELEMETRY_DISABLED: "1",
  // Nine processes load the same modules: compiled once, they start in half the time.
  NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "node-compile"),
  OCTET_INVOKED_FROM: invokedFrom,
};
install(env);
build(env);

const separator = process.argv.indexOf("--");
const [command, ...args] = separator < 0 ? [] : process.argv.slice(separator + 1);
if (command !== undefined) {
  const child = spawn(command, args, { cwd: root, env, stdio: "inherit" });
  child.on("error", (error) => fail(`could not run ${command}: ${error.message}`));
  // The terminal signals the whole foreground group; a supervisor signals only us, so pass it on.
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  process.on("SIGINT", () => {});
  child.on("exit", (code, signal) => {
    const signalNumber = signal === null ? undefined : constants.signals[signal];
    process.exit(signalNumber === undefined ? (code ?? 1) : 128 + signalNumber);
  });
}

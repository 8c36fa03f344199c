// Fills NODE_COMPILE_CACHE with every source that a service and its health check run, for an image.
// Usage: NODE_COMPILE_CACHE=FOLDER node tools/fill-compile-cache.ts
//
// Node keeps a folder for each user, version, kind of CPU and set of V8's flags, so run this as the
// user that will read it.
import { spawnSync } from "node:child_process";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";

/** A program is run until it has loaded all it imports, which its last words show. */
function load(args: readonly string[], lastWords: RegExp): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    env: { ...process.env, OCTET_NOTHING: "none" },
    encoding: "utf8",
  });
  const said = stdout + stderr;
  if (status === 1 && lastWords.test(said)) return;
  throw new Error(`${args[0]} should have been refused, and ended with ${status}: ${said}`);
}

load(["services/expert-worker/src/main.ts"], /settings refused/);
load(["services/coordinator/src/main.ts"], /settings refused/);
load(["services/gateway/src/main.ts"], /settings refused/);
load(["deploy/docker/health.ts", "1"], /ECONNREFUSED/);

// A thread's folder is for the flags of its time, which the services' main.ts sets before.
setFlagsFromString("--semi-space-growth-factor=1");
const thread = new Worker("./packages/kernels/src/webgpu/thread/gpu-thread.ts");
thread.once("message", () => thread.terminate()); // loaded, since it answers
thread.postMessage({ kind: "counts", callId: 0 });

// Loaded into a service before its own code, by a test: on SIGUSR2 the service loses its GPU right
// behind the next submission, so that a call is under way. It is lost as Dawn loses it, in the GPU
// thread, and the service has no part in it. With `heldLossEnvironment` no device is opened in its
// place until the next SIGUSR2.
import { createRequire, syncBuiltinESMExports } from "node:module";
import workerThreads, {
  BroadcastChannel,
  isMainThread,
  type WorkerOptions,
} from "node:worker_threads";

const channelName = "octet-test-lose-device";

/** The environment that loads this file. */
export const lossEnvironment = { NODE_OPTIONS: `--import=${import.meta.url}` };

const holdName = "TEST_HOLD_LOSS";

/** The same, for a device that comes back when it is told. */
export const heldLossEnvironment = { ...lossEnvironment, [holdName]: "true" };

if (isMainThread) armOnSignal();
else await loseWhenTold();

/** Threads do not hear signals, nor are they given what NODE_OPTIONS imports: both go by way of us. */
function armOnSignal(): void {
  const channel = new BroadcastChannel(channelName);
  channel.unref();
  process.on("SIGUSR2", () => channel.postMessage("lose"));
  const { Worker } = workerThreads;
  class ImportingWorker extends Worker {
    constructor(file: string | URL, options: WorkerOptions = {}) {
      super(file, {
        ...options,
        execArgv: [...(options.execArgv ?? process.execArgv), `--import=${import.meta.url}`],
      });
    }
  }
  workerThreads.Worker = ImportingWorker;
  syncBuiltinESMExports();
}

async function loseWhenTold(): Promise<void> {
  const kernels = createRequire(new URL("../../packages/kernels/package.json", import.meta.url));
  const { globals } = await import(kernels.resolve("webgpu"));
  let isArmed = false;
  let held: PromiseWithResolvers<void> | undefined;
  const channel = new BroadcastChannel(channelName);
  channel.unref();
  channel.onmessage = () => {
    if (held !== undefined) {
      held.resolve();
      held = undefined;
      return;
    }
    isArmed = true;
    if (process.env[holdName] === "true") held = Promise.withResolvers();
  };
  const devices = new WeakMap<GPUQueue, GPUDevice>();
  const { requestDevice } = globals.GPUAdapter.prototype;
  globals.GPUAdapter.prototype.requestDevice = async function (...args: unknown[]) {
    await held?.promise;
    const device: GPUDevice = await requestDevice.apply(this, args);
    devices.set(device.queue, device);
    return device;
  };
  const { submit } = globals.GPUQueue.prototype;
  globals.GPUQueue.prototype.submit = function (...args: unknown[]) {
    submit.apply(this, args);
    if (!isArmed) return;
    isArmed = false;
    devices.get(this)?.destroy();
  };
}

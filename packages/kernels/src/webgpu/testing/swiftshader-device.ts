// Devices on SwiftShader in the test's own thread, for kernels on their own.
import { afterAll } from "vitest";
import { loadDawn } from "../device/adapter.ts";
import { type DeviceOptions, type GpuDevice, openDevice } from "../device/gpu-device.ts";
import { useSwiftShader } from "../device/swiftshader.ts";

// A process aborts with too many instances of Dawn, and compiles a kernel once a device: files that
// share a process share both.
let dawn: Promise<GPU> | undefined;
let shared: Promise<GpuDevice> | undefined;

async function open(options: DeviceOptions): Promise<GpuDevice> {
  useSwiftShader(process.env);
  dawn ??= loadDawn({ subgroupMatrices: process.env.OCTET_GPU_SUBGROUP_MATRICES === "true" });
  return openDevice(await dawn, options);
}

/** The device of every test of this process that leaves it as it was. */
export function sharedSwiftShaderDevice(): Promise<GpuDevice> {
  shared ??= open({}).then((device) => {
    // Node aborts if it ends while Dawn has a device.
    process.once("exit", () => device.destroy());
    return device;
  });
  return shared;
}

/** Opens devices of the file's own; all are destroyed after the file's tests. */
export function swiftShaderDevices(): (options?: DeviceOptions) => Promise<GpuDevice> {
  const devices: GpuDevice[] = [];
  afterAll(() => {
    for (const device of devices.splice(0)) device.destroy();
  });
  return async (options = {}) => {
    const device = await open(options);
    devices.push(device);
    return device;
  };
}

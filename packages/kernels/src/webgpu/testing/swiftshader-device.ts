// A device on SwiftShader in the test's own thread, for kernels on their own.
import { afterAll } from "vitest";
import { loadDawn } from "../device/adapter.ts";
import { type DeviceOptions, type GpuDevice, openDevice } from "../device/gpu-device.ts";
import { useSwiftShader } from "../device/swiftshader.ts";

/** Opens devices of the file's one Dawn instance; all are destroyed after the file's tests. */
export function swiftShaderDevices(): (options?: DeviceOptions) => Promise<GpuDevice> {
  let dawn: Promise<GPU> | undefined;
  const devices: GpuDevice[] = [];
  afterAll(() => {
    for (const device of devices) device.destroy();
  });
  return async (options = {}) => {
    useSwiftShader(process.env);
    dawn ??= loadDawn();
    const device = await openDevice(await dawn, options);
    devices.push(device);
    return device;
  };
}

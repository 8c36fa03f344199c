import assert from "node:assert/strict";
import { test } from "vitest";
import { assertRefuses } from "../../conformance/kernel-error-code.ts";
import type { GpuDevice } from "../device/gpu-device.ts";
import { swiftShaderDevices } from "../testing/swiftshader-device.ts";
import type { DeviceChange } from "./protocol.ts";
import {
  type LoadedEngine,
  RecoveringEngine,
  type RecoveringOptions,
} from "./recovering-engine.ts";

const newDevice = swiftShaderDevices();

/** Opens an engine that answers its load's number, and whose loads after the first may fail. */
async function openNumbered(failingLoads: number, retryDelaysMs: readonly number[]) {
  const changes: DeviceChange[] = [];
  const waited: number[] = [];
  const destroyed: number[] = [];
  let device: GpuDevice = await newDevice();
  let loads = 0;
  let settle = () => {};
  const isSettled = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const options: RecoveringOptions = {
    source: {
      get: async () => {
        if (device.isLost) device = await newDevice();
        return device;
      },
    },
    load: async (): Promise<LoadedEngine> => {
      const load = loads++;
      if (load > 0 && load <= failingLoads) throw new Error(`load ${load}`);
      return {
        weightBytes: 1,
        call: async () => ({ body: load, transfer: [] }),
        destroy: () => destroyed.push(load),
      };
    },
    allowSoftwareAdapter: true,
    report: (change) => {
      changes.push(change);
      if (change.kind !== "lost") settle();
    },
    onProgress: () => {},
    retryDelaysMs,
    wait: async (milliseconds) => {
      waited.push(milliseconds);
    },
  };
  const { engine } = await RecoveringEngine.open(options);
  return { engine, changes, waited, destroyed, isSettled, lose: () => device.destroy() };
}

test("loading again is tried at growing distances until it succeeds", async () => {
  const { engine, changes, waited, destroyed, isSettled, lose } = await openNumbered(2, [0, 5, 9]);
  assert.equal((await engine.call(undefined)).body, 0);
  lose();
  await isSettled;
  assert.deepEqual(changes.at(-1), { kind: "recovered", attempts: 3 });
  assert.deepEqual(waited, [0, 5, 9]);
  assert.equal((await engine.call(undefined)).body, 3);
  assert.deepEqual(destroyed, [0], "what the first load made is freed");
  await engine.close();
  assert.deepEqual(destroyed, [0, 3]);
});

test("when no attempt is left the engine is given up, and says why", async () => {
  const { engine, changes, waited, isSettled, lose } = await openNumbered(9, [0, 5]);
  lose();
  await isSettled;
  const [lost, abandoned] = changes;
  assert.equal(lost?.kind, "lost");
  assert(abandoned?.kind === "abandoned" && abandoned.detail.includes("load 2"));
  assert.deepEqual(waited, [0, 5]);
  await assertRefuses("device-lost", () => engine.call(undefined), "after the last attempt");
  await engine.close();
});

import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { test, vi } from "vitest";
import { assertSameBits } from "../conformance/compare.ts";
import { assertRefuses } from "../conformance/kernel-error-code.ts";
import { scratchDirectory } from "../conformance/scratch-directory.ts";
import { KernelError } from "../kernel-error.ts";
import { useSwiftShader } from "./device/swiftshader.ts";
import { smallCall, smallExperts } from "./testing/expert-cases.ts";
import type { DeviceChange } from "./thread/protocol.ts";
import { destroyGpuDevice } from "./thread/thread-host.ts";
import { openWebGpuExpertEngine } from "./webgpu-expert-engine.ts";

// SwiftShader computes, and compiles, on the cores that other tests use.
vi.setConfig({ testTimeout: 120_000 });
useSwiftShader(process.env);
const newPath = scratchDirectory();

/** Opens an engine; `changed` resolves with the next change of its device that is of a kind. */
async function openWatched() {
  const changes: DeviceChange[] = [];
  const watching: (() => void)[] = [];
  const options = await smallExperts(newPath(), "q8");
  const engine = await openWebGpuExpertEngine({
    ...options,
    allowSoftwareAdapter: true,
    onDeviceChange: (change) => {
      changes.push(change);
      for (const look of watching.splice(0)) look();
    },
  });
  const changed = async (kind: DeviceChange["kind"], count = 1) => {
    while (changes.filter((change) => change.kind === kind).length < count) {
      await new Promise<void>((resolve) => watching.push(resolve));
    }
  };
  return { engine, changes, changed, options };
}

test("calls under way when the device goes reject as device-lost, and the engine comes back", async () => {
  const { engine, changes, changed } = await openWatched();
  const call = smallCall("q8", { numRows: 9 });
  const expected = await engine.forward(call);
  const underWay = Array.from({ length: 40 }, () => engine.forward(call));
  const settled = Promise.allSettled(underWay);
  await destroyGpuDevice();
  const outcomes = await settled;
  for (const outcome of outcomes) {
    if (outcome.status === "fulfilled") {
      assertSameBits(outcome.value.data, expected.data, "an answer before the loss");
    } else {
      assert(outcome.reason instanceof KernelError, `${outcome.reason}`);
      assert.equal(outcome.reason.code, "device-lost", outcome.reason.message);
    }
  }
  assert(
    outcomes.some(({ status }) => status === "rejected"),
    "40 calls outlast the device",
  );
  await changed("recovered");
  assert.deepEqual(
    changes.map(({ kind }) => kind),
    ["lost", "recovered"],
  );
  assertSameBits((await engine.forward(call)).data, expected.data, "an answer after the loss");
  await engine.close();
});

test("calls made while the weights are loaded again reject as device-lost, and may be retried", async () => {
  const { engine, changed } = await openWatched();
  const call = smallCall("q8");
  const expected = await engine.forward(call);
  await destroyGpuDevice();
  await changed("lost");
  await assertRefuses("device-lost", () => engine.forward(call), "right after the loss");
  let output: Uint8Array | undefined;
  for (let attempt = 0; output === undefined; attempt++) {
    assert(attempt < 500, "it serves again within seconds");
    await wait(20);
    output = await engine.forward(call).then(
      ({ data }) => data,
      () => undefined,
    );
  }
  assertSameBits(output, expected.data, "the retried call");
  await engine.close();
});

test("every engine of the process comes back, twice", async () => {
  const [one, two] = [await openWatched(), await openWatched()];
  const call = smallCall("q8", { numRows: 3 });
  const expected = await one.engine.forward(call);
  for (let loss = 1; loss <= 2; loss++) {
    await destroyGpuDevice();
    await one.changed("recovered", loss);
    await two.changed("recovered", loss);
    for (const { engine } of [one, two]) {
      assertSameBits((await engine.forward(call)).data, expected.data, `after loss ${loss}`);
    }
  }
  await one.engine.close();
  await two.engine.close();
});

test("an engine may be closed, and another opened, while the device is gone", async () => {
  const { engine, changed, options } = await openWatched();
  await engine.forward(smallCall("q8"));
  await destroyGpuDevice();
  await changed("lost");
  await engine.close();
  const next = await openWebGpuExpertEngine({ ...options, allowSoftwareAdapter: true });
  await next.forward(smallCall("q8"));
  await next.close();
});

import { expect, test } from "vitest";
import { KernelError } from "../../kernel-error.ts";
import { swiftShaderDevices } from "../testing/swiftshader-device.ts";
import { loadDawn, requestAdapter } from "./adapter.ts";
import { chooseLimits } from "./limits.ts";
import { useSwiftShader } from "./swiftshader.ts";

const newDevice = swiftShaderDevices();

/** An adapter that says of itself what SwiftShader says, but for one limit. */
async function adapterWith(name: keyof GPUSupportedLimits, value: number): Promise<GPUAdapter> {
  useSwiftShader(process.env);
  const gpu = await loadDawn();
  const { info, limits } = await requestAdapter(gpu);
  const said: Record<string, number> = {};
  for (const key in limits) said[key] = limits[key as "maxBufferSize"];
  // Only these two are read.
  return { info, limits: { ...said, [name]: value } } as unknown as GPUAdapter;
}

test("an adapter below the baseline is refused with the limit and what it has", async () => {
  const adapter = await adapterWith("maxComputeInvocationsPerWorkgroup", 128);
  expect(() => chooseLimits(adapter)).toThrow(KernelError);
  expect(() => chooseLimits(adapter)).toThrow(/maxComputeInvocationsPerWorkgroup.*256.*128/);
});

test("buffers may be as large as the adapter allows, and no larger", async () => {
  const adapter = await adapterWith("maxBufferSize", 3 * 2 ** 30);
  expect(chooseLimits(adapter)).toMatchObject({ maxBufferSize: 3 * 2 ** 30 });
  const device = await newDevice();
  expect(() => device.createBuffer("too large", 2 ** 31, 128)).toThrow(/too large.*can bind/);
});

// Runs one product on a device and brings it back.
import assert from "node:assert/strict";
import { type ActivationRows, fromBf16Bits } from "@octet/core";
import { BindGroups } from "../device/bind-groups.ts";
import { bufferUsage } from "../device/buffer-usage.ts";
import { submit } from "../device/commands.ts";
import type { GpuDevice } from "../device/gpu-device.ts";
import { ReadBackRing } from "../device/read-back-ring.ts";
import { deviceWidth, fromDeviceRows, toDeviceRows } from "../device-rows.ts";
import type { GpuMatrix } from "../gpu-matrix.ts";
import {
  defaultTuning,
  loadMultiply,
  type MultiplyOutput,
  type MultiplyTuning,
  multiply,
} from "../multiply.ts";

/** What may differ from one run to the next. */
export interface RunOptions {
  readonly output?: MultiplyOutput;
  readonly tuning?: Partial<MultiplyTuning>;
  /** What out holds before. */
  readonly before?: number;
}

/** x wᵀ, [rows, outSize], as f32 values whatever the output's dtype. Fails if a row past them changes. */
export async function runMultiply(
  device: GpuDevice,
  matrix: GpuMatrix,
  x: ActivationRows,
  { output = "f32", tuning = {}, before = 0 }: RunOptions = {},
): Promise<Float32Array> {
  const { dtype, outSize } = matrix;
  const kernels = loadMultiply(device, {
    dtype,
    output,
    tuning: { ...defaultTuning, ...tuning },
  });
  const { storage, copyTarget, copySource } = bufferUsage;
  const rows = toDeviceRows(x);
  const xBuffer = device.createBuffer("x", rows.length, storage | copyTarget);
  device.raw.queue.writeBuffer(xBuffer, 0, Uint8Array.from(rows));
  const outDtype = output === "bf16" ? "bf16" : "f32";
  const rowBytes = deviceWidth(outSize) * (output === "bf16" ? 2 : 4);
  const sizeBytes = (x.rows + 1) * rowBytes; // one that no kernel may write
  const out = device.createBuffer("out", sizeBytes, storage | copySource | copyTarget);
  const held = new Uint8Array(sizeBytes);
  if (output !== "bf16") new Float32Array(held.buffer).fill(before);
  const guard = held.subarray(x.rows * rowBytes).fill(0x5a);
  device.raw.queue.writeBuffer(out, 0, held);
  const ring = new ReadBackRing(device);
  const slot = await ring.acquire();
  const dispatch = multiply(kernels, new BindGroups(device), {
    x: xBuffer,
    matrix,
    out,
    numRows: x.rows,
  });
  submit(device, [dispatch], [{ from: out, to: slot.buffer(sizeBytes), sizeBytes }]);
  const bytes = new Uint8Array(await slot.read(sizeBytes));
  slot.release();
  assert.deepEqual(bytes.subarray(x.rows * rowBytes), guard, "the row after the last");
  const result = fromDeviceRows(bytes.slice(0, x.rows * rowBytes), {
    dtype: outDtype,
    rows: x.rows,
    width: outSize,
  });
  for (const buffer of [xBuffer, out]) buffer.destroy();
  ring.destroy();
  if (outDtype === "f32") return new Float32Array(result.buffer);
  return Float32Array.from(new Uint16Array(result.buffer), fromBf16Bits);
}

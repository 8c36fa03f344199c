// Runs an expert of random weights over random rows, by whatever kernels are chosen.
import assert from "node:assert/strict";
import { dispatchDtype, replyDtype, type WeightDtype } from "@octet/core";
import { tinyModel } from "../../conformance/tiny-model.ts";
import { BindGroups } from "../device/bind-groups.ts";
import { submit } from "../device/commands.ts";
import type { GpuDevice } from "../device/gpu-device.ts";
import { ReadBackRing } from "../device/read-back-ring.ts";
import { deviceRowBytes } from "../device-rows.ts";
import { type ExpertTuning, feedForward, loadExpertKernels } from "../expert-kernels.ts";
import { ExpertScratch } from "../expert-scratch.ts";
import { anyWords, createRandomMatrix } from "../tuning/random-matrix.ts";

/** More blocks than lanes, so that the order of sums shows. */
const model = tinyModel({ hiddenSize: 1120, intermediateSize: 96, numExperts: 2 });

/**
 * The same experts and rows in every run: out of the first `numRows`, as it lies on the device. Fails
 * if what is between the two halves changes past those rows.
 */
export async function runFeedForward(
  device: GpuDevice,
  dtype: WeightDtype,
  { numRows, tuning }: { readonly numRows: number; readonly tuning: ExpertTuning },
): Promise<Uint8Array> {
  const { hiddenSize: H, intermediateSize: I } = model;
  const expert = {
    w1: createRandomMatrix(device, dtype, [I, H]),
    w3: createRandomMatrix(device, dtype, [I, H]),
    w2: createRandomMatrix(device, dtype, [H, I]),
  };
  const scratch = new ExpertScratch(device, model, dtype);
  scratch.reserve(numRows);
  // Read as bytes of blocks, as their scales and as bf16 they are finite, and of all sizes.
  const words = anyWords().map((word) => (word & 0xbfffbfff) | 0x30003000);
  const xWords = Uint32Array.from(words.subarray(0, scratch.x.size / 4));
  device.raw.queue.writeBuffer(scratch.x, 0, xWords);
  const { hidden } = scratch;
  device.raw.queue.writeBuffer(hidden, 0, new Uint8Array(hidden.size).fill(0x5a));
  const ring = new ReadBackRing(device);
  const slot = await ring.acquire();
  const sizeBytes = numRows * deviceRowBytes(replyDtype(dtype), H);
  const to = slot.buffer(sizeBytes + hidden.size);
  const rows = { numRows, firstRow: 0 };
  const kernels = loadExpertKernels(device, dtype, tuning);
  const dispatches = feedForward(kernels, new BindGroups(device), { expert, scratch, rows });
  submit(device, dispatches, [
    { from: scratch.out, to, sizeBytes },
    { from: hidden, to, sizeBytes: hidden.size, toOffsetBytes: sizeBytes },
  ]);
  const bytes = new Uint8Array(await slot.read(sizeBytes + hidden.size));
  slot.release();
  const past = sizeBytes + numRows * deviceRowBytes(dispatchDtype(dtype), I);
  assert(
    bytes.subarray(past).every((byte) => byte === 0x5a),
    "hidden rows past the last",
  );
  return bytes.slice(0, sizeBytes);
}

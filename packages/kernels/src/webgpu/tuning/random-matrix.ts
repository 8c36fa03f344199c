// Weights that are nobody's, to time kernels with.
import { isQuantised, panelRows, panelShapes, quantBlockSize, type WeightDtype } from "@octet/core";
import { bufferUsage } from "../device/buffer-usage.ts";
import type { GpuDevice } from "../device/gpu-device.ts";
import type { GpuMatrix } from "../gpu-matrix.ts";

/** Bytes that are written at once, again and again. */
const pieceBytes = 4 * 1024 * 1024;
const elementBytes = { f32: 4, f16: 2, bf16: 2 } as const;

/** A matrix [outSize, inSize] of small finite numbers. The caller destroys its buffers. */
export function createRandomMatrix(
  device: GpuDevice,
  dtype: WeightDtype,
  [outSize, inSize]: readonly [number, number],
): GpuMatrix {
  const numPanels = Math.ceil(outSize / panelRows);
  const numBlocks = Math.ceil(inSize / quantBlockSize);
  const common = { dtype, outSize, inSize, numPanels, numBlocks };
  const whole = [numPanels * panelRows, numBlocks * quantBlockSize] as const;
  if (!isQuantised(dtype)) {
    const sizeBytes = whole[0] * whole[1] * elementBytes[dtype];
    const elements = createFilled(device, "random weights", { sizeBytes, words: floatWords });
    return { ...common, elements, scales: undefined, sizeBytes };
  }
  const shapes = panelShapes(dtype, whole);
  const product = (shape: readonly number[]) => shape.reduce((size, length) => size * length, 1);
  const quantBytes = product(shapes.quants);
  const scaleBytes = product(shapes.scales) * 2;
  return {
    ...common,
    elements: createFilled(device, "random quants", { sizeBytes: quantBytes, words: anyWords }),
    scales: createFilled(device, "random scales", { sizeBytes: scaleBytes, words: floatWords }),
    sizeBytes: quantBytes + scaleBytes,
  };
}

/** A buffer of such words; the caller destroys it. */
export function createFilled(
  device: GpuDevice,
  label: string,
  { sizeBytes, words }: { readonly sizeBytes: number; readonly words: () => Uint32Array },
): GPUBuffer {
  const buffer = device.createBuffer(
    label,
    sizeBytes,
    bufferUsage.storage | bufferUsage.copyTarget,
  );
  const piece = Uint8Array.from(new Uint8Array(words().buffer));
  for (let done = 0; done < buffer.size; done += piece.length) {
    const length = Math.min(piece.length, buffer.size - done);
    device.raw.queue.writeBuffer(buffer, done, piece, 0, length);
  }
  return buffer;
}

/** Any bits, by a linear congruence. */
export function anyWords(): Uint32Array {
  const words = new Uint32Array(pieceBytes / 4);
  let state = 1;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[i] = state;
  }
  return words;
}

/** Numbers of 2⁻⁷ or so, read as f32 or as bf16. */
export function floatWords(): Uint32Array {
  return anyWords().map((word) => (word & 0x807f807f) | 0x3c003c00);
}

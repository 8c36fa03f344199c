// Rows of quantised matrices, picked out of their panels element by element: see core's panels.ts.
import { panelRows, quantBlockSize } from "@octet/core";

/** A quantised matrix as it is stored. */
export interface Panels {
  readonly quants: Uint8Array;
  readonly scales: Float32Array;
}

/** Row `index` of a q8 matrix whose rows are as long as `into`, exactly. */
export function readQ8Row({ quants, scales }: Panels, index: number, into: Float64Array): void {
  const [R, block] = [panelRows, quantBlockSize]; // imports are slow to read in an inner loop
  const K = into.length;
  const p = Math.floor(index / R);
  const r = index % R;
  for (let k = 0; k < K; k++) {
    const c = Math.floor(k / 4);
    const byte = quants[((p * (K / 4) + c) * R + r) * 4 + (k % 4)]!;
    const scale = scales[(p * (K / block) + Math.floor(k / block)) * R + r]!;
    into[k] = (byte - 128) * scale;
  }
}

/** Row `index` of a q4 matrix whose rows are as long as `into`, exactly. */
export function readQ4Row({ quants, scales }: Panels, index: number, into: Float64Array): void {
  const [R, block] = [panelRows, quantBlockSize];
  const K = into.length;
  const p = Math.floor(index / R);
  const r = index % R;
  for (let k = 0; k < K; k++) {
    const c = Math.floor(k / 8);
    const byte = quants[((p * (K / 8) + c) * R + r) * 4 + (k % 4)]!;
    const nibble = k % 8 < 4 ? byte & 0x0f : byte >> 4;
    const scale = scales[(p * (K / block) + Math.floor(k / block)) * R + r]!;
    into[k] = (nibble - 8) * scale;
  }
}

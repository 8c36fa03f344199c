// Products of small matrices of signed bytes that a subgroup makes at once, where a device has them.
import { runProbe } from "./run-probe.ts";
import { readShader, withSizes } from "./shader-text.ts";

/** [M, K] × [K, N] */
export interface MatrixShape {
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** Dawn offers it only to an instance that was made to tell of it: see loadDawn. */
export const matrixFeature = "chromium-experimental-subgroup-matrix" as GPUFeatureName;

/** What Dawn says of a product that a device makes; not among WebGPU's types. */
export interface MatrixConfig extends MatrixShape {
  readonly componentType: string;
  readonly resultComponentType: string;
}

/** Dawn's list for an adapter, empty where it has none. */
export function matrixConfigs({ features, info }: GPUAdapter): readonly MatrixConfig[] {
  if (!features.has(matrixFeature)) return [];
  const { subgroupMatrixConfigs } = info as { subgroupMatrixConfigs?: Iterable<MatrixConfig> };
  return Array.from(subgroupMatrixConfigs ?? []);
}

/**
 * Of signed bytes with exact sums, the largest shape that the tiles of multiply-panels-matrix.wgsl
 * can be made of: 16 rows of x, 64 of weights, 32 columns.
 */
export function findByteMatrix(configs: readonly MatrixConfig[]): MatrixShape | undefined {
  const shapes = configs.flatMap(({ componentType, resultComponentType, M, N, K }) => {
    const isExact = componentType === "i8" && resultComponentType === "i32";
    return isExact && 16 % M === 0 && 64 % N === 0 && 32 % K === 0 ? [{ M, N, K }] : [];
  });
  const work = ({ M, N, K }: MatrixShape) => M * N * K;
  return shapes.toSorted((a, b) => work(b) - work(a))[0];
}

/** Has a device that has been given the feature make one product, and looks at the result. */
export async function makesByteMatrix(device: GPUDevice, { M, N, K }: MatrixShape) {
  const bytes = Int8Array.from({ length: (M + N) * K }, (_, i) => ((i * 37) % 255) - 127);
  const products = await runProbe(device, {
    code: withSizes(readShader("probe-byte-matrix"), { tileM: M, tileN: N, tileK: K }),
    reads: [new Uint32Array(bytes.buffer)],
    outputBytes: M * N * 4,
    workgroups: 1,
  }).catch(() => undefined); // a driver that fails here fails at no kernel of the baseline
  return products?.every((found, i) => {
    const ofX = bytes.subarray(Math.floor(i / N) * K);
    const ofWeights = bytes.subarray((M + (i % N)) * K);
    let sum = 0;
    for (let k = 0; k < K; k++) sum += ofX[k]! * ofWeights[k]!;
    return (found | 0) === sum;
  });
}

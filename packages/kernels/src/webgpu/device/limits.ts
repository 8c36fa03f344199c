// What the kernels need of any device, and what is asked of one that has more.
import { KernelError } from "../../kernel-error.ts";

/** Limits that a device must have at least: every kernel's baseline runs within them. */
export const baselineLimits = {
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupStorageSize: 16 * 1024,
  maxComputeWorkgroupsPerDimension: 65_535,
  maxStorageBuffersPerShaderStage: 10,
  maxBufferSize: 256 * 1024 * 1024,
  maxStorageBufferBindingSize: 128 * 1024 * 1024,
} as const;

/** Limits that kernels or buffers make use of when a device has more of them. */
const wanted = ["maxBufferSize", "maxStorageBufferBindingSize", "maxImmediateSize"] as const;

/** Parameters of one dispatch, at most: what immediates hold on every device that has them. */
export const parameterBytesMax = 64;

/**
 * The limits to open a device of `adapter` with.
 *
 * @throws {KernelError} "unsupported" if the baseline does not fit it
 */
export function chooseLimits(adapter: GPUAdapter): Record<string, number> {
  const limits: Record<string, number> = { ...baselineLimits };
  for (const [name, least] of Object.entries(baselineLimits)) {
    const found = adapter.limits[name as keyof typeof baselineLimits];
    if (found < least) {
      throw new KernelError(
        "unsupported",
        `${adapter.info.device}: expected ${name} of at least ${least}, found ${found}`,
      );
    }
  }
  for (const name of wanted) limits[name] = adapter.limits[name];
  return limits;
}

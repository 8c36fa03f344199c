// Which engine computes, by the settings.
import {
  type AttentionEngine,
  type AttentionEngineOptions,
  cacheFolder,
  openCpuAttentionEngine,
  openReferenceAttentionEngine,
  openWebGpuAttentionEngine,
} from "@octet/kernels";
import type { DeviceWatch } from "@octet/service";
import type { CoordinatorConfig } from "./config.ts";

/**
 * Opens the engine that OCTET_ENGINE names; one with a device tells `device` what becomes of it.
 *
 * @throws {KernelError} "unsupported" for a model or a machine that the engine cannot compute on;
 *   "bad-weights"
 */
export function openEngine(
  config: CoordinatorConfig,
  device: DeviceWatch,
  options: AttentionEngineOptions,
): Promise<AttentionEngine> {
  switch (config.OCTET_ENGINE) {
    case "cpu":
      return openCpuAttentionEngine(options);
    case "webgpu":
      return openWebGpuAttentionEngine({
        ...options,
        adapterName: config.OCTET_GPU_ADAPTER,
        subgroupMatrices: config.OCTET_GPU_SUBGROUP_MATRICES,
        allowSoftwareAdapter: config.OCTET_ALLOW_SOFTWARE_GPU,
        tuningCacheDir: cacheFolder(config),
        onNote: device.note,
        onDeviceChange: device.report,
        onKernels: device.compiled,
      });
    case "reference":
      return openReferenceAttentionEngine(options);
  }
}

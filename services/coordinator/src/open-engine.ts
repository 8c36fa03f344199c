// Which engine computes, by the settings.
import {
  type AttentionEngine,
  type AttentionEngineOptions,
  openCpuAttentionEngine,
  openReferenceAttentionEngine,
} from "@octet/kernels";
import { ConfigError, type DeviceWatch } from "@octet/service";
import type { CoordinatorConfig } from "./config.ts";

/**
 * Opens the engine that OCTET_ENGINE names; one with a device tells `device` what becomes of it.
 *
 * @throws {KernelError} "unsupported" for a model or a machine that the engine cannot compute on;
 *   "bad-weights"
 */
export function openEngine(
  config: CoordinatorConfig,
  _device: DeviceWatch,
  options: AttentionEngineOptions,
): Promise<AttentionEngine> {
  switch (config.OCTET_ENGINE) {
    case "cpu":
      return openCpuAttentionEngine(options);
    case "webgpu":
      throw new ConfigError(
        "OCTET_ENGINE=webgpu: only workers have that engine; use cpu and OCTET_WORKER_ENGINES=webgpu",
      );
    case "reference":
      return openReferenceAttentionEngine(options);
  }
}

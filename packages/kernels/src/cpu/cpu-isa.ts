import { KernelError } from "../kernel-error.ts";
import { type CpuIsa, loadNativeAddon } from "./native-addon.ts";

/**
 * The kernel builds this machine can run, fastest first. All give the same bits.
 *
 * @throws {KernelError} "unsupported" if the addon has not been built
 */
export function supportedCpuIsas(): readonly CpuIsa[] {
  return loadNativeAddon().isas();
}

/**
 * The kernel build that engines use on this machine unless told otherwise.
 *
 * @throws {KernelError} "unsupported" if the addon has not been built
 */
export function cpuIsa(): CpuIsa {
  return selectIsa(undefined);
}

/** @throws {KernelError} "unsupported" if this machine cannot run what was asked for */
export function selectIsa(requested: CpuIsa | undefined): CpuIsa {
  const supported = supportedCpuIsas();
  const isa = requested ?? supported[0]!; // the portable build is always there
  if (!supported.includes(isa)) {
    throw new KernelError("unsupported", `this CPU runs ${supported.join(", ")}, not ${isa}`);
  }
  return isa;
}

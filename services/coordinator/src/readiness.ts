// Whether a request could be answered now.
import type { GrpcExpertClient } from "@octet/cluster";
import type { DeviceWatch } from "@octet/service";

/**
 * Calls `onChange` whenever it changes whether every expert can be asked and the engine computes; at
 * first if so. Experts are followed; `check` is to be called when the device is lost or back.
 */
export function followReadiness(
  experts: GrpcExpertClient,
  device: DeviceWatch,
  onChange: (ready: boolean) => void,
): { readonly check: () => void; readonly stop: () => void } {
  let wasReady = false;
  const check = () => {
    const areThere = experts.workers().every((worker) => worker.state === "ready");
    const ready = areThere && !device.isLost;
    if (ready !== wasReady) {
      wasReady = ready;
      onChange(ready);
    }
  };
  check();
  return { check, stop: experts.watchWorkers(check) };
}

/** The experts that cannot be asked now, and where they should be. */
export function describeAway(experts: GrpcExpertClient): string[] {
  return experts
    .workers()
    .filter((worker) => worker.state !== "ready")
    .map(({ expertIds, address }) => `expert ${expertIds.join(", ")} at ${address}`);
}

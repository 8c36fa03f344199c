// What a service does when the device under its engine goes away, and when it comes back.
import type { Logger } from "@octet/telemetry";

/** What may happen to a device; an engine that has one tells. */
export type DeviceChange =
  | { readonly kind: "lost"; readonly detail: string }
  /** The engine has opened it again, and serves. */
  | { readonly kind: "recovered"; readonly attempts: number }
  /** The engine will never serve again. */
  | { readonly kind: "abandoned"; readonly detail: string };

/** Who depends on the device. */
export interface DeviceFollower {
  onLost(detail: string): void;
  onBack(): void;
}

/** Between two lines of progress. */
const progressEveryMs = 1000;

/** Logs what happens to an engine's device, and passes it on once there is somebody to tell. */
export class DeviceWatch {
  readonly #log: Logger;
  readonly #failed = Promise.withResolvers<Error>();
  #nextProgressAtMs = 0;
  #follower: DeviceFollower | undefined;
  #lostDetail: string | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Whether the engine cannot compute now. */
  get isLost(): boolean {
    return this.#lostDetail !== undefined;
  }

  /** Resolves if the device does not come back: the process is of no more use. */
  get failed(): Promise<Error> {
    return this.#failed.promise;
  }

  /** For the engine to call with what is worth a line. */
  readonly note = (detail: string): void => {
    this.#log.warn("gpu", { detail });
  };

  /** For the engine to call when a kernel is compiled: a line a second, and one when all are. */
  readonly compiled = ({ done, total }: { done: number; total: number }): void => {
    const nowMs = performance.now();
    if (done < total && nowMs < this.#nextProgressAtMs) return;
    this.#nextProgressAtMs = nowMs + progressEveryMs;
    this.#log.info("gpu kernels", { done, total });
  };

  /** For the engine to call. */
  readonly report = (change: DeviceChange): void => {
    switch (change.kind) {
      case "lost":
        this.#log.warn("gpu lost", { detail: change.detail });
        this.#lostDetail = change.detail;
        this.#follower?.onLost(change.detail);
        break;
      case "recovered":
        this.#log.info("gpu back", { attempts: change.attempts });
        this.#lostDetail = undefined;
        this.#follower?.onBack();
        break;
      case "abandoned":
        this.#lostDetail = change.detail;
        this.#failed.resolve(new Error(change.detail));
    }
  };

  /** Tells `follower` from now on, and at once if the device is lost already. */
  follow(follower: DeviceFollower): void {
    this.#follower = follower;
    if (this.#lostDetail !== undefined) follower.onLost(this.#lostDetail);
  }

  /** Tells nobody any more. */
  unfollow(): void {
    this.#follower = undefined;
  }
}

// The one device of a process, opened at first need and again after a loss.
import { type DeviceOptions, type GpuDevice, openDevice } from "./gpu-device.ts";

/** Where engines get the device they share. */
export class DeviceSource {
  readonly #gpu: GPU;
  readonly #options: DeviceOptions;
  #device: Promise<GpuDevice> | undefined;

  constructor(gpu: GPU, options: DeviceOptions = {}) {
    this.#gpu = gpu;
    this.#options = options;
  }

  /**
   * @returns the device, the same for all while it lasts
   * @throws {KernelError} "unsupported" if there is none that the kernels run on
   */
  async get(): Promise<GpuDevice> {
    const known = this.#device;
    if (known !== undefined && !(await known).isLost) return known;
    // Several engines may have waited for the same lost device: the first of them opens the next.
    if (this.#device === known) {
      const opened = openDevice(this.#gpu, this.#options);
      this.#device = opened;
      opened.catch(() => {
        if (this.#device === opened) this.#device = undefined;
      });
    }
    return this.#device ?? this.get();
  }

  /** Destroys the device, if one is open: engines on it lose it. */
  async destroy(): Promise<void> {
    const device = await this.#device?.catch(() => undefined);
    device?.destroy();
  }
}

// How long a dispatch takes on the device: by its own clock where it has one, else by the queue's end.
import { bufferUsage } from "../device/buffer-usage.ts";
import { type Dispatch, encodeDispatches } from "../device/commands.ts";
import type { GpuDevice } from "../device/gpu-device.ts";
import { millisecondsOfOne, type Sampling } from "./milliseconds-of-one.ts";

/** How thoroughly to measure, and by which clock. */
export interface TimerOptions extends Sampling {
  /** Waits for the queue even if the device has a clock. */
  readonly withoutTimestamps?: boolean;
}

/** Dispatches of one submission, at most: what a parameter arena holds. */
const dispatchesMax = 512;

/** A stopwatch on one device; whoever opened it destroys it. */
export class DispatchTimer {
  readonly method: "device clock" | "queue";
  readonly #device: GpuDevice;
  readonly #options: TimerOptions;
  readonly #clock: DeviceClock | undefined;

  constructor(device: GpuDevice, options: TimerOptions) {
    this.#device = device;
    this.#options = options;
    const hasClock =
      device.raw.features.has("timestamp-query") && options.withoutTimestamps !== true;
    this.#clock = hasClock ? createClock(device) : undefined;
    this.method = hasClock ? "device clock" : "queue";
  }

  /**
   * Microseconds that one dispatch takes.
   *
   * @param alternates run in turn: the same work on other memory, so that caches do not hold it
   */
  async time(alternates: readonly Dispatch[]): Promise<number> {
    await this.#run(alternates, 1); // compiles, and fills what is filled at the first run
    const run = (count: number) => this.#run(alternates, count);
    const limits = { ...this.#options, countMax: dispatchesMax };
    return 1000 * (await millisecondsOfOne(run, limits));
  }

  destroy(): void {
    this.#clock?.queries.destroy();
    this.#clock?.resolved.destroy();
    this.#clock?.readable.destroy();
  }

  /** Milliseconds of `count` dispatches. */
  async #run(alternates: readonly Dispatch[], count: number): Promise<number> {
    const { raw, parameters } = this.#device;
    const clock = this.#clock;
    const dispatches = Array.from({ length: count }, (_, i) => alternates[i % alternates.length]!);
    const encoder = raw.createCommandEncoder();
    const timestampWrites = clock && {
      querySet: clock.queries,
      beginningOfPassWriteIndex: 0,
      endOfPassWriteIndex: 1,
    };
    const pass = encoder.beginComputePass(timestampWrites && { timestampWrites });
    encodeDispatches(this.#device, pass, dispatches);
    pass.end();
    if (clock !== undefined) {
      encoder.resolveQuerySet(clock.queries, 0, 2, clock.resolved, 0);
      encoder.copyBufferToBuffer(clock.resolved, 0, clock.readable, 0, clockBytes);
    }
    parameters?.flush();
    const start = performance.now();
    raw.queue.submit([encoder.finish()]);
    try {
      await raw.queue.onSubmittedWorkDone();
      const waitedMs = performance.now() - start;
      this.#device.assertSound();
      return (clock && (await readClock(clock))) ?? waitedMs;
    } catch (error) {
      throw this.#device.explain(error);
    }
  }
}

/** The pass's beginning and its end, in nanoseconds. */
const clockBytes = 16;

interface DeviceClock {
  readonly queries: GPUQuerySet;
  readonly resolved: GPUBuffer;
  readonly readable: GPUBuffer;
}

function createClock(device: GpuDevice): DeviceClock {
  const { queryResolve, copySource, copyTarget, mapRead } = bufferUsage;
  return {
    queries: device.raw.createQuerySet({ type: "timestamp", count: 2 }),
    resolved: device.createBuffer("timestamps", clockBytes, queryResolve | copySource),
    readable: device.createBuffer("timestamps read", clockBytes, mapRead | copyTarget),
  };
}

/** Milliseconds; undefined if the clock was set back between the two looks at it. */
async function readClock({ readable }: DeviceClock): Promise<number | undefined> {
  await readable.mapAsync(1, 0, clockBytes); // GPUMapMode.READ, which is no global here
  const [begin, end] = new BigUint64Array(readable.getMappedRange(0, clockBytes).slice(0));
  readable.unmap();
  return end! > begin! ? Number(end! - begin!) / 1e6 : undefined;
}

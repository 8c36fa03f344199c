// One open device: what it is, what it was asked to do, and whether it is still there.
import { KernelError } from "../../kernel-error.ts";
import { type AdapterFacts, describeAdapter, requestAdapter } from "./adapter.ts";
import { bufferUsage } from "./buffer-usage.ts";
import { findByteMatrix, makesByteMatrix, matrixConfigs, matrixFeature } from "./byte-matrix.ts";
import { type GrowingCounts, zeroCounts } from "./counts.ts";
import { KernelCache, type KernelProgress, type KernelVariants } from "./kernel.ts";
import { chooseLimits, parameterBytesMax } from "./limits.ts";
import { ParameterArena, parameterArenaBytes } from "./parameter-arena.ts";
import { SlowTurns } from "./slow-turns.ts";
import { hasUsualSubgroups, offersSubgroups } from "./subgroups.ts";

/** Features that are used where a device has them, and never needed. */
const wantedFeatures: readonly GPUFeatureName[] = ["timestamp-query"];

/** How a device is to be used. */
export interface DeviceOptions {
  /** Passes parameters by a uniform buffer even where the device has immediates. */
  readonly withoutImmediates?: boolean;
  /** Takes no kernel that uses subgroups even where the device has them. */
  readonly withoutSubgroups?: boolean;
}

/** What a device was found to be before it is used. */
interface DeviceFindings extends Omit<KernelVariants, "usesImmediates"> {
  readonly facts: AdapterFacts;
}

/** An open device; whoever opened it destroys it. */
export class GpuDevice {
  readonly facts: AdapterFacts;
  readonly raw: GPUDevice;
  /** Held because Dawn aborts the process if its instance is collected under a device. */
  readonly instance: GPU;
  readonly counts: GrowingCounts = zeroCounts();
  readonly kernels: KernelCache;
  /** Undefined where parameters are immediates. */
  readonly parameters: ParameterArena | undefined;
  /** Resolves, with what the driver says, when the device is gone. Never rejects. */
  readonly lost: Promise<string>;
  readonly #slowTurns: SlowTurns | undefined;
  #lostDetail: string | undefined;
  #fault: string | undefined;

  constructor(instance: GPU, raw: GPUDevice, options: DeviceOptions & DeviceFindings) {
    this.instance = instance;
    this.raw = raw;
    this.facts = options.facts;
    this.#slowTurns = options.facts.isSoftware ? new SlowTurns() : undefined;
    const usesImmediates =
      raw.limits.maxImmediateSize >= parameterBytesMax && options.withoutImmediates !== true;
    const { usesSubgroups, byteMatrix } = options;
    const variants = { usesImmediates, usesSubgroups, byteMatrix };
    this.kernels = new KernelCache(raw, this.counts, variants);
    this.parameters = usesImmediates ? undefined : this.#createArena();
    this.lost = raw.lost.then(({ reason, message }) => {
      this.#lostDetail = `${reason}: ${message}`;
      return this.#lostDetail;
    });
    raw.addEventListener("uncapturederror", ({ error }) => {
      this.#fault ??= error.message;
    });
  }

  /** A buffer of zeros, in whole 16-byte pieces. The caller destroys it. */
  createBuffer(label: string, sizeBytes: number, usage: number): GPUBuffer {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.raw.limits;
    const size = Math.max(16, Math.ceil(sizeBytes / 16) * 16);
    if (size > Math.min(maxBufferSize, maxStorageBufferBindingSize)) {
      throw new KernelError(
        "unsupported",
        `${label}: ${size} bytes are more than ${this.facts.name} can bind, ` +
          `${Math.min(maxBufferSize, maxStorageBufferBindingSize)}`,
      );
    }
    this.counts.objectsCreated += 1;
    return this.raw.createBuffer({ label, size, usage });
  }

  #createArena(): ParameterArena {
    const usage = bufferUsage.uniform | bufferUsage.copyTarget;
    const buffer = this.createBuffer("parameters", parameterArenaBytes, usage);
    return new ParameterArena(this.raw.queue, buffer);
  }

  /** What `promise`, of Dawn, settles with: to be awaited by this alone. */
  settled<T>(promise: Promise<T>): Promise<T> {
    return this.#slowTurns?.while(promise) ?? promise;
  }

  /**
   * What `make` makes, with every kernel that it loads compiled.
   *
   * @throws {KernelError} "device-lost"
   */
  async compiled<T>(make: () => T, onProgress: (progress: KernelProgress) => void): Promise<T> {
    try {
      return await this.settled(this.kernels.compiled(make, onProgress));
    } catch (error) {
      throw this.explain(error);
    }
  }

  get isLost(): boolean {
    return this.#lostDetail !== undefined;
  }

  /**
   * @throws {KernelError} "device-lost"
   * @throws {Error} if Dawn refused something that a kernel or a buffer did, which is a bug
   */
  assertSound(): void {
    if (this.#lostDetail !== undefined) throw deviceLost(this.facts, this.#lostDetail);
    if (this.#fault !== undefined) throw new Error(`webgpu: ${this.#fault}`);
  }

  /** What `error`, of a call to Dawn, means: the device is gone, or there is a bug. */
  explain(error: unknown): unknown {
    // Dawn rejects what is pending a little before `lost` resolves.
    const isAbort = error instanceof Error && error.name === "AbortError";
    if (error instanceof KernelError || !(this.isLost || isAbort)) return error;
    return deviceLost(this.facts, this.#lostDetail ?? "while it computed");
  }

  destroy(): void {
    this.raw.destroy();
  }
}

/** Opens a device of the best adapter. */
export async function openDevice(gpu: GPU, options: DeviceOptions): Promise<GpuDevice> {
  return openAdapter(gpu, await requestAdapter(gpu), options);
}

/** Opens a device of that adapter, and finds out what its kernels may use. */
export async function openAdapter(
  gpu: GPU,
  adapter: GPUAdapter,
  options: DeviceOptions = {},
): Promise<GpuDevice> {
  const requiredLimits = chooseLimits(adapter);
  const hasSubgroups = options.withoutSubgroups !== true && offersSubgroups(gpu, adapter);
  const byteMatrix = hasSubgroups ? findByteMatrix(matrixConfigs(adapter)) : undefined;
  const requiredFeatures = [
    // Reading the device's clock costs nothing until somebody does.
    ...wantedFeatures.filter((name) => adapter.features.has(name)),
    ...(hasSubgroups ? (["subgroups"] as const) : []),
    ...(byteMatrix === undefined ? [] : [matrixFeature]),
  ];
  const raw = await adapter.requestDevice({ label: "octet", requiredLimits, requiredFeatures });
  const usesSubgroups = hasSubgroups && (await hasUsualSubgroups(raw));
  const makesThem = byteMatrix !== undefined && (await makesByteMatrix(raw, byteMatrix));
  return new GpuDevice(gpu, raw, {
    ...options,
    facts: describeAdapter(adapter),
    usesSubgroups,
    byteMatrix: usesSubgroups && makesThem ? byteMatrix : undefined,
  });
}

function deviceLost({ name }: AdapterFacts, detail: string): KernelError {
  return new KernelError("device-lost", `${name}: ${detail}; it is being opened again, try later`);
}

// A compute shader with its sizes filled in, made once and kept.
import { readFileSync } from "node:fs";
import type { GrowingCounts } from "./counts.ts";

/** A shader of ../shaders and what is fixed of it before it runs. */
export interface KernelForm {
  /** The file, without ".wgsl". */
  readonly shader: string;
  /** Values of its `override` constants. */
  readonly constants: Readonly<Record<string, number>>;
  /** Its storage buffers, bindings 0 and up of group 0. */
  readonly bindings: readonly ("read" | "write")[];
  /** 32-bit words of its parameters, at most 16. */
  readonly parameterWords: number;
}

/** A kernel that can be dispatched. */
export interface Kernel {
  readonly form: KernelForm;
  /**
   * Compiled when it is first read, unless it was before: that blocks the GPU thread. A shader that
   * does not compile, which is a bug, shows at the next `assertSound`.
   */
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** How many of the kernels that an engine needs are compiled. */
export interface KernelProgress {
  readonly done: number;
  readonly total: number;
}

const computeStage = 4; // GPUShaderStage.COMPUTE, which is no global here

/**
 * Every kernel that a device has made. Each shader has two entry points, which take the parameters
 * as immediates and from a uniform buffer after the storage buffers.
 */
export class KernelCache {
  readonly #device: GPUDevice;
  readonly #counts: GrowingCounts;
  readonly #usesImmediates: boolean;
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #kernels = new Map<string, CachedKernel>();
  #asked: Set<CachedKernel> | undefined;

  constructor(device: GPUDevice, counts: GrowingCounts, usesImmediates: boolean) {
    this.#device = device;
    this.#counts = counts;
    this.#usesImmediates = usesImmediates;
  }

  /** The kernel of that form. */
  load(form: KernelForm): Kernel {
    const key = JSON.stringify(form);
    let kernel = this.#kernels.get(key);
    if (kernel === undefined) {
      kernel = this.#create(form);
      this.#kernels.set(key, kernel);
    }
    this.#asked?.add(kernel);
    return kernel;
  }

  /**
   * Compiles every kernel that `make` loads, as many at once as the driver likes, so that no call
   * waits for one.
   *
   * @param onProgress told of each that was not compiled before
   */
  async compiled<T>(make: () => T, onProgress: (progress: KernelProgress) => void): Promise<T> {
    const asked = new Set<CachedKernel>();
    this.#asked = asked;
    let made: T;
    try {
      made = make();
    } finally {
      this.#asked = undefined;
    }
    const missing = [...asked].filter((kernel) => !kernel.isCompiled);
    let done = 0;
    await Promise.all(
      missing.map(async (kernel) => {
        await kernel.compile();
        done += 1;
        onProgress({ done, total: missing.length });
      }),
    );
    return made;
  }

  #create(form: KernelForm): CachedKernel {
    const layout = this.#layoutOf(form);
    const described = () => {
      this.#counts.objectsCreated += 2;
      this.#counts.kernelsCompiled += 1;
      return this.#describe(form, layout);
    };
    return new CachedKernel(form, layout, {
      now: () => this.#device.createComputePipeline(described()),
      soon: () => this.#device.createComputePipelineAsync(described()),
    });
  }

  #describe(form: KernelForm, layout: GPUBindGroupLayout): GPUComputePipelineDescriptor {
    return {
      label: form.shader,
      layout: this.#device.createPipelineLayout({
        bindGroupLayouts: [layout],
        immediateSize: this.#usesImmediates ? form.parameterWords * 4 : 0,
      }),
      compute: {
        module: this.#moduleOf(form.shader),
        entryPoint: this.#usesImmediates ? "fromImmediates" : "fromUniform",
        constants: form.constants,
      },
    };
  }

  #moduleOf(shader: string): GPUShaderModule {
    let made = this.#modules.get(shader);
    if (made === undefined) {
      const code = readFileSync(new URL(`../shaders/${shader}.wgsl`, import.meta.url), "utf8");
      made = this.#device.createShaderModule({ label: shader, code });
      this.#counts.objectsCreated += 1;
      this.#modules.set(shader, made);
    }
    return made;
  }

  #layoutOf({ bindings, parameterWords }: KernelForm): GPUBindGroupLayout {
    const key = `${bindings.join()} ${parameterWords}`;
    let layout = this.#layouts.get(key);
    if (layout === undefined) {
      layout = this.#device.createBindGroupLayout({
        label: key,
        entries: this.#entriesOf(bindings, parameterWords),
      });
      this.#counts.objectsCreated += 1;
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  #entriesOf(bindings: KernelForm["bindings"], parameterWords: number): GPUBindGroupLayoutEntry[] {
    const entries: GPUBindGroupLayoutEntry[] = bindings.map((access, binding) => ({
      binding,
      visibility: computeStage,
      buffer: { type: access === "read" ? "read-only-storage" : "storage" },
    }));
    if (!this.#usesImmediates) {
      entries.push({
        binding: bindings.length,
        visibility: computeStage,
        buffer: { type: "uniform", hasDynamicOffset: true, minBindingSize: parameterWords * 4 },
      });
    }
    return entries;
  }
}

/** Two ways to the same pipeline. */
interface PipelineMaker {
  now(): GPUComputePipeline;
  soon(): Promise<GPUComputePipeline>;
}

class CachedKernel implements Kernel {
  readonly form: KernelForm;
  readonly layout: GPUBindGroupLayout;
  readonly #make: PipelineMaker;
  #pipeline: GPUComputePipeline | undefined;

  constructor(form: KernelForm, layout: GPUBindGroupLayout, make: PipelineMaker) {
    this.form = form;
    this.layout = layout;
    this.#make = make;
  }

  get isCompiled(): boolean {
    return this.#pipeline !== undefined;
  }

  get pipeline(): GPUComputePipeline {
    this.#pipeline ??= this.#make.now();
    return this.#pipeline;
  }

  async compile(): Promise<void> {
    const pipeline = await this.#make.soon();
    this.#pipeline ??= pipeline;
  }
}

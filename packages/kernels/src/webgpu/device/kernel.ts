// A compute shader with its sizes filled in, made once and kept.
import type { MatrixShape } from "./byte-matrix.ts";
import type { GrowingCounts } from "./counts.ts";
import { readShader, withSizes } from "./shader-text.ts";

/** A shader of ../shaders and what is fixed of it before it runs. */
export interface KernelForm {
  /** The file, without ".wgsl". */
  readonly shader: string;
  /** Values of its `override` constants. */
  readonly constants: Readonly<Record<string, number>>;
  /** Values of its `const` declarations that stand in types, where WGSL takes no `override`. */
  readonly sizes?: Readonly<Record<string, number>>;
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

/** Shaders of which there is also NAME-subgroups.wgsl, which gives the same bits. */
const subgroupVariants: ReadonlySet<string> = new Set(["combine-norm", "gate", "select-largest"]);

/** What a device's kernels are made with. */
export interface KernelVariants {
  readonly usesImmediates: boolean;
  /** Whether shaders that have one are taken as their variant for subgroups. */
  readonly usesSubgroups: boolean;
  /** Products of small matrices of signed bytes that a subgroup makes at once, if it does. */
  readonly byteMatrix: MatrixShape | undefined;
}

const computeStage = 4; // GPUShaderStage.COMPUTE, which is no global here

/**
 * Every kernel that a device has made. Each shader has two entry points, which take the parameters
 * as immediates and from a uniform buffer after the storage buffers.
 */
export class KernelCache {
  readonly #device: GPUDevice;
  readonly #counts: GrowingCounts;
  readonly variants: KernelVariants;
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #kernels = new Map<string, CachedKernel>();
  #asked: Set<CachedKernel> | undefined;

  constructor(device: GPUDevice, counts: GrowingCounts, variants: KernelVariants) {
    this.#device = device;
    this.#counts = counts;
    this.variants = variants;
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
        immediateSize: this.variants.usesImmediates ? form.parameterWords * 4 : 0,
      }),
      compute: {
        module: this.#moduleOf(form),
        entryPoint: this.variants.usesImmediates ? "fromImmediates" : "fromUniform",
        constants: form.constants,
      },
    };
  }

  #moduleOf({ shader, sizes = {} }: KernelForm): GPUShaderModule {
    const key = `${shader} ${JSON.stringify(sizes)}`;
    let made = this.#modules.get(key);
    if (made === undefined) {
      const isVariant = this.variants.usesSubgroups && subgroupVariants.has(shader);
      const code = withSizes(readShader(isVariant ? `${shader}-subgroups` : shader), sizes);
      made = this.#device.createShaderModule({ label: shader, code });
      this.#counts.objectsCreated += 1;
      this.#modules.set(key, made);
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
    if (!this.variants.usesImmediates) {
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

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
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
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
  readonly #kernels = new Map<string, Kernel>();

  constructor(device: GPUDevice, counts: GrowingCounts, usesImmediates: boolean) {
    this.#device = device;
    this.#counts = counts;
    this.#usesImmediates = usesImmediates;
  }

  /**
   * The kernel of that form, which is compiled if it is new: that blocks the GPU thread, and nobody
   * else. A shader that does not compile, which is a bug, shows at the next `assertSound`.
   */
  load(form: KernelForm): Kernel {
    const key = JSON.stringify(form);
    let kernel = this.#kernels.get(key);
    if (kernel === undefined) {
      kernel = this.#create(form);
      this.#kernels.set(key, kernel);
    }
    return kernel;
  }

  /** As {@link load}, at the first call: an engine compiles what its calls need. */
  lazily(form: KernelForm): () => Kernel {
    let kernel: Kernel | undefined;
    return () => {
      kernel ??= this.load(form);
      return kernel;
    };
  }

  #create(form: KernelForm): Kernel {
    const layout = this.#layoutOf(form);
    this.#counts.objectsCreated += 2;
    const pipeline = this.#device.createComputePipeline({
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
    });
    return { form, pipeline, layout };
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

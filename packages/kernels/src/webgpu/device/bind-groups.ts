import type { GpuDevice } from "./gpu-device.ts";
import type { Kernel } from "./kernel.ts";

/** Bind groups by what they bind; made at first use, and kept until forgotten. */
export class BindGroups {
  readonly #device: GpuDevice;
  readonly #root: Node = { next: new Map(), group: undefined };

  constructor(device: GpuDevice) {
    this.#device = device;
  }

  /** The group that binds `buffers`, in the order of the kernel's bindings. */
  get(kernel: Kernel, buffers: readonly GPUBuffer[]): GPUBindGroup {
    let node = step(this.#root, kernel.layout);
    for (const buffer of buffers) node = step(node, buffer);
    node.group ??= this.#create(kernel, buffers);
    return node.group;
  }

  /** Lets go of every group, as some buffer of theirs is destroyed. */
  forget(): void {
    this.#root.next.clear();
  }

  #create({ form, layout }: Kernel, buffers: readonly GPUBuffer[]): GPUBindGroup {
    if (buffers.length !== form.bindings.length) {
      const expected = `${form.shader}: expected ${form.bindings.length} buffers`;
      throw new RangeError(`${expected}, found ${buffers.length}`);
    }
    const entries: GPUBindGroupEntry[] = buffers.map((buffer, binding) => ({
      binding,
      resource: { buffer },
    }));
    const { parameters, raw, counts } = this.#device;
    if (parameters !== undefined) {
      const size = form.parameterWords * 4;
      entries.push({ binding: buffers.length, resource: { buffer: parameters.buffer, size } });
    }
    counts.objectsCreated += 1;
    return raw.createBindGroup({ label: form.shader, layout, entries });
  }
}

interface Node {
  readonly next: Map<object, Node>;
  group: GPUBindGroup | undefined;
}

function step(from: Node, key: object): Node {
  let node = from.next.get(key);
  if (node === undefined) {
    node = { next: new Map(), group: undefined };
    from.next.set(key, node);
  }
  return node;
}

// Whether a device's subgroups are what the variants of kernels that use them suppose.
import { runProbe } from "./run-probe.ts";
import { readShader } from "./shader-text.ts";

/** Smallest and largest subgroup that the variants are written for; powers of two. */
const sizes = { min: 4, max: 64 } as const;

const workgroups = 4;
const threads = 256; // of a workgroup, by the shader

/** Whether Dawn offers, on that adapter, what the variants need before a shader can tell more. */
export function offersSubgroups(gpu: GPU, { features, info }: GPUAdapter): boolean {
  const { subgroupMinSize = 0, subgroupMaxSize = Number.POSITIVE_INFINITY } = info;
  return (
    features.has("subgroups") &&
    gpu.wgslLanguageFeatures.has("subgroup_id") &&
    subgroupMinSize >= sizes.min &&
    subgroupMaxSize <= sizes.max
  );
}

/** Runs a small shader on a device that has been given the feature, and looks at what it saw. */
export async function hasUsualSubgroups(device: GPUDevice): Promise<boolean> {
  // A driver that fails here fails at no kernel of the baseline.
  const seen = await lookAtThreads(device).catch(() => []);
  const ofWorkgroup = (w: number) => seen.slice(w * threads, (w + 1) * threads);
  return Array.from({ length: workgroups }, (_, w) => ofWorkgroup(w)).every(areUsual);
}

/** One thread: its lane, its subgroup's size, the lanes one step and half a subgroup away. */
export type SeenThread = readonly [lane: number, size: number, near: number, far: number];

/** Whether the threads of a workgroup are lanes 0 and up, in whole subgroups of one size. */
export function areUsual(seen: readonly SeenThread[]): boolean {
  const size = seen[0]?.[1] ?? 0;
  const isSize = size >= sizes.min && size <= sizes.max && Number.isInteger(Math.log2(size));
  const lanes = new Set(seen.map(([lane]) => lane));
  return (
    isSize &&
    lanes.size === seen.length &&
    seen.every(
      ([lane, ownSize, near, far]) =>
        lane < seen.length &&
        ownSize === size &&
        near === (lane ^ 1) &&
        far === (lane ^ (size / 2)),
    )
  );
}

async function lookAtThreads(device: GPUDevice): Promise<SeenThread[]> {
  const code = readShader("probe-subgroups");
  const outputBytes = workgroups * threads * 16;
  const words = await runProbe(device, { code, reads: [], outputBytes, workgroups });
  return Array.from({ length: workgroups * threads }, (_, i) => {
    const [lane, size, near, far] = words.subarray(4 * i, 4 * i + 4);
    return [lane!, size!, near!, far!];
  });
}

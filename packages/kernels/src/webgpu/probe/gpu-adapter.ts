// What a probe says of one adapter.

/** One device of one backend, as Dawn describes it. */
export interface GpuAdapter {
  /** "NVIDIA GeForce RTX 4090": part of it is what OCTET_GPU_ADAPTER matches. */
  readonly name: string;
  /** "vulkan", "metal", "d3d12". */
  readonly backend: string;
  /** "nvidia", "amd", "intel", "apple", "google" for SwiftShader; empty where unknown. */
  readonly vendor: string;
  /** "ampere", "rdna-3", "swiftshader"; empty where unknown. */
  readonly architecture: string;
  /** The driver and its version, in its own words. */
  readonly driver: string;
  /** Whether it is a program on the CPU, which no engine takes unless it is told to. */
  readonly isSoftware: boolean;
  /** Least and greatest threads of a subgroup, where the backend tells. */
  readonly subgroupSizes: readonly [min: number, max: number] | undefined;
  /** Optional features of the device, sorted. */
  readonly features: readonly string[];
  /** Optional features of WGSL here, sorted. */
  readonly languageFeatures: readonly string[];
  /** What kernels use of it beyond the baseline, in words; empty if it was not tried. */
  readonly variants: readonly string[];
  /** Every limit by WebGPU's name for it. */
  readonly limits: Readonly<Record<string, number>>;
  /** Why a first small shader did not run on it; undefined if it ran and was right. */
  readonly problem: string | undefined;
}

// Which GPU, through which driver: Dawn's adapters, and the ones that are refused.
import { KernelError } from "../../kernel-error.ts";

/** What an adapter is, for people and for the choice. */
export interface AdapterFacts {
  /** "swiftshader swiftshader-device-subzero, SwiftShader driver 5.0.0" */
  readonly name: string;
  /** Computes on the CPU, in place of a GPU. */
  readonly isSoftware: boolean;
}

/** Names by which software adapters are known, should one not say that it is a fallback. */
const softwareNames = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i;

/** What Dawn is to find. */
export interface DawnOptions {
  /** Part of the name of the one adapter that it is to find; by default all. */
  readonly adapterName?: string | undefined;
  /** Whether it is to tell of subgroup matrices, an experiment that some drivers fail at. */
  readonly subgroupMatrices?: boolean | undefined;
}

/** Loads Dawn. One instance a process: it is the GPU thread that calls this, once. */
export async function loadDawn(options: DawnOptions = {}): Promise<GPU> {
  const { adapterName, subgroupMatrices = false } = options;
  try {
    const { create } = await import("webgpu");
    return create([
      ...(adapterName === undefined ? [] : [`adapter=${adapterName}`]),
      ...(subgroupMatrices ? ["enable-dawn-features=allow_unsafe_apis"] : []),
    ]);
  } catch (cause) {
    throw new KernelError(
      "unsupported",
      `webgpu cannot be loaded on ${process.platform} ${process.arch}; is the package installed?`,
      { cause },
    );
  }
}

/** @throws {KernelError} "unsupported" if there is none */
export async function requestAdapter(gpu: GPU): Promise<GPUAdapter> {
  const adapter = await gpu
    .requestAdapter({ powerPreference: "high-performance" })
    .catch((error: unknown) => {
      // Dawn's refusal of a name that no adapter has lists those that there are.
      const names = Array.from(String(error).matchAll(/name: '(.*)'$/gm), ([, name]) => name);
      throw new KernelError(
        "unsupported",
        `expected a GPU of the name asked for, found ${names.join(", ") || "none at all"}`,
        { cause: error },
      );
    });
  if (adapter !== null) return adapter;
  throw new KernelError(
    "unsupported",
    "expected a GPU, found no adapter: install its Vulkan driver and libvulkan1, and in a " +
      "container give it the device and the driver's ICD file",
  );
}

/** What `adapter` says of itself. */
export function describeAdapter({ info }: GPUAdapter): AdapterFacts {
  const words = [info.architecture || info.vendor, info.device].filter((word) => word !== "");
  const name = [words.join(" "), info.description].filter((part) => part !== "").join(", ");
  return { name, isSoftware: info.isFallbackAdapter || softwareNames.test(name) };
}

/** @throws {KernelError} "unsupported" for a software adapter that was not asked for */
export function refuseSoftware(facts: AdapterFacts, allowSoftwareAdapter: boolean): void {
  if (!facts.isSoftware || allowSoftwareAdapter) return;
  throw new KernelError(
    "unsupported",
    `expected a GPU, found ${facts.name}, which computes on the CPU more slowly than the cpu ` +
      "engine does; install the GPU's driver, use the cpu engine, or allow a software adapter",
  );
}

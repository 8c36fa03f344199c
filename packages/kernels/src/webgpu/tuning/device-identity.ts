// What a tuned choice depends on, and so is kept by.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { GpuDevice } from "../device/gpu-device.ts";

/** A device, what drives it, and the shaders that were timed on it. */
export interface DeviceIdentity {
  /** Names the file: what stays the same while drivers and kernels change. */
  readonly adapter: Readonly<Record<"vendor" | "architecture" | "device", string>>;
  /** What the driver says of itself, with its version. */
  readonly driver: string;
  /** Through which API: by the platform, as Dawn chooses. */
  readonly backend: string;
  /** Of the webgpu package, and so of Dawn's compiler. */
  readonly webgpu: string;
  /** Of the shaders' text. */
  readonly shaders: string;
}

/** Every shader that a choice is made between. */
const tunedShaders = [
  "expert-swiglu",
  "expert-up-panels",
  "expert-up-rows",
  "multiply-panels-few",
  "multiply-panels-many",
  "multiply-panels-matrix",
  "multiply-rows-few",
  "multiply-rows-many",
] as const;

export function identifyDevice({ raw }: GpuDevice): DeviceIdentity {
  const { vendor, architecture, device, description } = raw.adapterInfo;
  return {
    adapter: { vendor, architecture, device },
    driver: description,
    backend: backendOf(process.platform),
    webgpu: webgpuVersion(),
    shaders: hashShaders(tunedShaders.map(readShader)),
  };
}

/** A short name for a file. */
export function adapterFileName({ adapter }: DeviceIdentity): string {
  const hash = createHash("sha256").update(JSON.stringify(adapter)).digest("hex").slice(0, 16);
  return `webgpu-tuning-${hash}.json`;
}

export function hashShaders(texts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(text).update("\0");
  return hash.digest("hex");
}

function readShader(name: string): string {
  return readFileSync(new URL(`../shaders/${name}.wgsl`, import.meta.url), "utf8");
}

/** WebGPU does not tell; the webgpu package takes the platform's own. */
function backendOf(platform: NodeJS.Platform): string {
  if (platform === "darwin") return "metal";
  return platform === "win32" ? "d3d12" : "vulkan";
}

function webgpuVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)("webgpu/package.json");
  return (manifest as { version: string }).version; // npm refuses packages without one
}

// SwiftShader: a Vulkan driver that computes on the CPU. It proves kernels right where no GPU is.
import { existsSync } from "node:fs";

/** Where distributions put the manifest by which the Vulkan loader finds SwiftShader. */
const manifests = [
  "/usr/lib/chromium/vk_swiftshader_icd.json",
  "/usr/lib64/chromium-browser/vk_swiftshader_icd.json",
];

/** Where the Vulkan loader is, on the distributions that have those. */
const loaders = [
  "/usr/lib/x86_64-linux-gnu/libvulkan.so.1",
  "/usr/lib/aarch64-linux-gnu/libvulkan.so.1",
  "/usr/lib64/libvulkan.so.1",
  "/usr/lib/libvulkan.so.1",
];

/** Debian's packages with the two. */
export const swiftShaderPackages = ["chromium-common", "libvulkan1"] as const;

/** SwiftShader's manifest, if it and the loader are installed. */
export function findSwiftShader(): string | undefined {
  return loaders.some((path) => existsSync(path))
    ? manifests.find((path) => existsSync(path))
    : undefined;
}

/**
 * Makes SwiftShader the one Vulkan driver of this process and of those it starts, or the driver
 * whose manifest OCTET_TEST_VULKAN_DRIVER names. To be called on the main thread before the first
 * device is opened.
 *
 * @throws {Error} if it is not installed; the message says how to
 */
export function useSwiftShader(env: NodeJS.ProcessEnv): void {
  const manifest = env.OCTET_TEST_VULKAN_DRIVER || findSwiftShader();
  if (manifest === undefined) {
    const packages = swiftShaderPackages.join(" ");
    throw new Error(
      `SwiftShader is not installed: as root, apt-get install --no-install-recommends ${packages}`,
    );
  }
  // Newer loaders read the first, older ones the second; an empty first would win.
  env.VK_DRIVER_FILES = manifest;
  env.VK_ICD_FILENAMES = manifest;
}

import { configDefaults, defineConfig } from "vitest/config";

// `npm run test:conformance` and `npm run test:drivers` have their own configurations.
const neverHere = [...configDefaults.exclude, "test/conformance/**", "**/*.driver.test.ts"];

/**
 * Files whose tests compute on SwiftShader, which compiles each kernel for up to a second. They share
 * processes, and so a device and its kernels; all but those that take the device away from everybody,
 * or are about a process's first and last moments.
 */
const onSharedDevice = [
  "packages/kernels/src/webgpu/!(*device-loss|gpu-thread-life).test.ts",
  "packages/kernels/src/webgpu/tuning/*.test.ts",
  "test/golden/golden-webgpu.test.ts",
];

export default defineConfig({
  test: {
    pool: "forks",
    // Two cores; cluster tests start nine processes each.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "gpu",
          include: onSharedDevice,
          exclude: neverHere,
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: "isolated",
          include: [
            "packages/*/src/**/*.test.ts",
            "services/*/src/**/*.test.ts",
            "test/**/*.test.ts",
          ],
          exclude: [...neverHere, ...onSharedDevice],
        },
      },
    ],
  },
});

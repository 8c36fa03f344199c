import { defineConfig } from "vitest/config";

// The GPU engine's kernels on a driver that is fetched first, so these are not all in `npm test`.
export default defineConfig({
  test: {
    include: [
      "packages/kernels/src/webgpu/**/*.driver.test.ts",
      "packages/kernels/src/webgpu/{multiply,subgroup-variants}.test.ts",
      "packages/kernels/src/webgpu/tuning/tuning-bits.test.ts",
      "packages/kernels/src/webgpu/webgpu-{attention,expert}-{engine,counts}.test.ts",
    ],
    maxWorkers: 1,
    isolate: false, // as in vitest.config.ts
    // LLVM compiles on the cores that the tests run on.
    testTimeout: 600_000,
  },
});

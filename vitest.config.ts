import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/src/**/*.test.ts", "services/*/src/**/*.test.ts", "test/**/*.test.ts"],
    // `npm run test:conformance` has its own configuration.
    exclude: [...configDefaults.exclude, "test/conformance/**"],
    pool: "forks",
    // Two cores; cluster tests start nine processes each.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});

import { defineConfig } from "vitest/config";

// Clients that nobody here wrote: what they need is installed first, so these are not in `npm test`.
export default defineConfig({
  test: {
    // Those of test/http-clients are quick enough for `npm test` too.
    include: ["test/conformance/**/*.test.ts", "test/http-clients/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 120_000,
    // Compilers and package managers on two cores, the first time.
    hookTimeout: 900_000,
  },
});

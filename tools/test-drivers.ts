// Runs the GPU engine's kernels on a second driver, lavapipe, by subgroups of three sizes: SwiftShader
// has subgroups of four alone, and no products of small matrices.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { installMesa } from "./install-mesa.ts";

/**
 * Bits of lavapipe's vectors, which are its subgroups: of 4, 8 and 16. Of those only 8 multiply
 * matrices: with 4 there is no such feature, and with 16 its driver crashes.
 */
const passes = [
  { bits: 256, hasMatrices: true },
  { bits: 128, hasMatrices: false },
  { bits: 512, hasMatrices: false },
];

const { manifest, launcher } = installMesa();
const vitest = join(createRequire(import.meta.url).resolve("vitest/package.json"), "../vitest.mjs");
const [program, ...libraries] = launcher;
// Node is started by another loader, so that it cannot start itself again: threads, no forks.
const run = ["run", "--config", "vitest.drivers.config.ts", "--pool", "threads"];
let isSound = true;
for (const { bits, hasMatrices } of passes) {
  const others = hasMatrices ? [] : ["--exclude", "**/multiply-matrix.driver.test.ts"];
  process.stdout.write(`\nlavapipe, subgroups of ${bits / 32}\n`);
  const args = [
    ...libraries,
    process.execPath,
    vitest,
    ...run,
    ...others,
    ...process.argv.slice(2),
  ];
  const { status, signal } = spawnSync(program!, args, {
    stdio: "inherit",
    env: {
      ...process.env,
      OCTET_TEST_VULKAN_DRIVER: manifest,
      OCTET_GPU_SUBGROUP_MATRICES: String(hasMatrices),
      // Vitest's threads have an environment of their own, which drivers do not see.
      VK_DRIVER_FILES: manifest,
      VK_ICD_FILENAMES: manifest,
      LP_NATIVE_VECTOR_WIDTH: String(bits),
    },
  });
  if (signal !== null) process.stdout.write(`ended by ${signal}\n`);
  isSound &&= status === 0;
}
process.exitCode = isSound ? 0 : 1;

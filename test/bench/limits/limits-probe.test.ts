import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildLimits } from "./build-limits.ts";
import { LimitsProbe } from "./limits-probe.ts";

test("every limit is measured, and the program is built once", async () => {
  const folder = await mkdtemp(join(tmpdir(), "octet-bench-"));
  try {
    const file = join(folder, "weights");
    await writeFile(file, new Uint8Array(1 << 20));
    const built = await stat(await buildLimits(folder));
    expect((await stat(await buildLimits(folder))).ino).toBe(built.ino);
    await using probe = await LimitsProbe.start({ buildFolder: folder, threads: 2, files: [file] });
    for (const name of ["read-bandwidth", "int8-peak", "bf16-peak", "f32-peak"] as const) {
      const { perSecond, instruction } = await probe.measure(name);
      // No machine that runs this is slower than a million a second.
      expect(perSecond).toBeGreaterThan(1e6);
      expect(instruction).toMatch(/^[a-z0-9-]+$/);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a file that is not there is said to be", async () => {
  const folder = await mkdtemp(join(tmpdir(), "octet-bench-"));
  try {
    const files = [join(folder, "absent")];
    await using probe = await LimitsProbe.start({ buildFolder: folder, threads: 1, files });
    await expect(probe.measure("read-bandwidth")).rejects.toThrow(/absent: No such file/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

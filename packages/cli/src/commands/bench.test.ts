import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type KernelBench, useSwiftShader } from "@octet/kernels";
import { expect, test } from "vitest";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

function octetBench(...argv: readonly string[]) {
  const env = { ...process.env };
  useSwiftShader(env);
  // Nothing is kept there: kernels are tuned only when asked.
  env.OCTET_CACHE_DIR = "/nonexistent";
  const args = [main, "bench", ...argv];
  return spawnSync(process.execPath, args, { encoding: "utf8", env });
}

const small = ["--engine", "webgpu", "--model", "small"];

test("octet bench refuses a software adapter unless it is allowed", () => {
  const { status, stdout, stderr } = octetBench(...small);
  expect(status).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toContain("computes on the CPU");
});

test("octet bench times every kernel, and says what a software adapter's figures mean", () => {
  const { status, stdout, stderr } = octetBench(...small, "--allow-software-gpu", "--json");
  expect(status, stderr).toBe(0);
  expect(stderr).toContain("these figures mean nothing");
  const bench = JSON.parse(stdout) as KernelBench;
  expect(bench.isSoftware).toBe(true);
  expect(bench.rates.readBytesPerSecond).toBeGreaterThan(0);
  expect(bench.rates.fmaPerSecond).toBeGreaterThan(0);
  const ofDecode = bench.timings.filter(({ kind, rows }) => kind === "decode" && rows === 1);
  expect(ofDecode.map(({ kernel }) => kernel)).toEqual([
    "combine-norm",
    "multiply-panels-few ROWS=1 384×256",
    "rotate-store",
    "attend-chunks",
    "merge-chunks",
    "multiply-panels-few ROWS=1 256×256",
    "combine-norm",
    "gate",
    "combine-norm",
    "multiply-panels-few ROWS=1 1024×256",
    "expert-up-panels ROWS=1 512×256",
    "multiply-panels-few ROWS=1 256×512",
  ]);
  const [up, down] = ofDecode.slice(-2);
  expect(up).toMatchObject({ bytesRead: 2 * 256 * 512 * 0.5625, multiplyAdds: 2 * 256 * 512 });
  expect(down).toMatchObject({ bytesRead: 256 * 512 * 0.5625, multiplyAdds: 256 * 512 });
  for (const { microseconds, ofFma, multiplyAdds } of bench.timings) {
    expect(microseconds).toBeGreaterThan(0);
    if (multiplyAdds === undefined) continue;
    const perSecond = (multiplyAdds * 1e6) / microseconds;
    expect(ofFma).toBeCloseTo(perSecond / bench.rates.fmaPerSecond, 6);
  }
  // Of a prompt, one row's logits were asked for.
  const logits = bench.timings.filter(({ kernel }) => kernel.endsWith("1024×256"));
  expect(logits.map(({ multiplyAdds }) => multiplyAdds! / (1024 * 256))).toEqual([1, 4, 1]);
}, 400_000);

import { expect, test } from "vitest";
import { describeAdapter, loadDawn, refuseSoftware, requestAdapter } from "./adapter.ts";
import { useSwiftShader } from "./swiftshader.ts";

test("an adapter is chosen by a part of its name; another name is refused with those there are", async () => {
  useSwiftShader(process.env);
  const named = await loadDawn({ adapterName: "SwiftShader" });
  expect(describeAdapter(await requestAdapter(named)).name).toMatch(/swiftshader/i);
  const other = await loadDawn({ adapterName: "GeForce" });
  await expect(requestAdapter(other)).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringContaining("found SwiftShader Device"),
  });
});

test("a software adapter is refused unless it is allowed, whether it says so itself or not", () => {
  const gpu = { name: "nvidia NVIDIA GeForce RTX 4090", isSoftware: false };
  const software = { name: "llvmpipe (LLVM 15)", isSoftware: true };
  expect(() => refuseSoftware(gpu, false)).not.toThrow();
  expect(() => refuseSoftware(software, true)).not.toThrow();
  expect(() => refuseSoftware(software, false)).toThrow("llvmpipe");
  const info = { vendor: "mesa", architecture: "", device: "llvmpipe", description: "" };
  const adapter = { info: { ...info, isFallbackAdapter: false } } as unknown as GPUAdapter;
  expect(describeAdapter(adapter)).toEqual({ name: "mesa llvmpipe", isSoftware: true });
});

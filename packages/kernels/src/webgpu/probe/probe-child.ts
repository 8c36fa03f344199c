// A process of its own that asks Dawn one question and prints the answer as one line of JSON: a
// driver that aborts takes only this process with it.
//   probe-child.ts list                    {"adapters":[{"backend","name"}]}
//   probe-child.ts describe BACKEND NAME   {"adapter":GpuAdapter}
// A failure that could be caught is {"failure":"..."}.
import { readFileSync } from "node:fs";
import { openAdapter } from "../device/gpu-device.ts";
import type { GpuAdapter } from "./gpu-adapter.ts";

/** No device is called so; Dawn's refusal lists those that there are. */
const noSuchAdapter = "octet-lists-adapters";

async function listAdapters() {
  const { create } = await import("webgpu");
  try {
    await create([`adapter=${noSuchAdapter}`]).requestAdapter();
  } catch (error) {
    const lines = String(error).matchAll(/\* backend: '([^']*)', name: '(.*)'$/gm);
    return { adapters: Array.from(lines, ([, backend, name]) => ({ backend, name })) };
  }
  return { adapters: [] };
}

async function describeAdapter(backend: string, name: string): Promise<{ adapter: GpuAdapter }> {
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  const isTold = process.env.OCTET_GPU_SUBGROUP_MATRICES === "true"; // as engines are
  const gpu = create([
    `backend=${backend}`,
    `adapter=${name}`,
    ...(isTold ? ["enable-dawn-features=allow_unsafe_apis"] : []),
  ]);
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error(`${backend} no longer has ${name}`);
  const { info } = adapter;
  // Before the last use of `gpu`: Dawn aborts if its instance is collected under a device.
  const problem = await findProblem(adapter);
  // An adapter gives one device: the next is another's.
  const again = await gpu.requestAdapter();
  const variants = again === null || problem !== undefined ? [] : await findVariants(gpu, again);
  const limits: Record<string, number> = {};
  for (const limit in adapter.limits) {
    limits[limit] = Number(adapter.limits[limit as keyof GPUSupportedLimits]);
  }
  return {
    adapter: {
      name,
      backend,
      vendor: info.vendor,
      architecture: info.architecture,
      driver: info.description,
      isSoftware: info.isFallbackAdapter,
      subgroupSizes: subgroupSizesOf(info),
      features: Array.from(adapter.features).sort(),
      languageFeatures: Array.from(gpu.wgslLanguageFeatures).sort(),
      variants,
      limits,
      problem,
    },
  };
}

function subgroupSizesOf(info: GPUAdapterInfo): GpuAdapter["subgroupSizes"] {
  const { subgroupMinSize, subgroupMaxSize } = info;
  if (subgroupMinSize === undefined || subgroupMaxSize === undefined) return undefined;
  return [subgroupMinSize, subgroupMaxSize];
}

/** Why the adapter cannot run the smallest shader, or undefined if it can. */
async function findProblem(adapter: GPUAdapter): Promise<string | undefined> {
  try {
    const device = await adapter.requestDevice();
    const found = await runProbeShader(device);
    device.destroy();
    const isRight = found.every((value, i) => value === 2 * i + 1);
    return isRight ? undefined : `the first shader gave ${found.slice(0, 4).join(", ")}, ...`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What kernels would use of it; nothing where it cannot be opened, which `findProblem` tells. */
async function findVariants(gpu: GPU, adapter: GPUAdapter): Promise<string[]> {
  try {
    const device = await openAdapter(gpu, adapter);
    const { usesSubgroups, byteMatrix } = device.kernels.variants;
    device.destroy();
    return [
      ...(usesSubgroups ? ["subgroups"] : []),
      ...(byteMatrix === undefined
        ? []
        : [`subgroup matrices of bytes, ${byteMatrix.M} x ${byteMatrix.N} x ${byteMatrix.K}`]),
    ];
  } catch {
    return [];
  }
}

async function runProbeShader(device: GPUDevice): Promise<Uint32Array> {
  const code = readFileSync(new URL("probe.wgsl", import.meta.url), "utf8");
  const module = device.createShaderModule({ code });
  const pipeline = await device.createComputePipelineAsync({
    layout: "auto",
    compute: { module, entryPoint: "main" },
  });
  const input = Uint32Array.from({ length: 64 }, (_, i) => i);
  const size = input.byteLength;
  const { STORAGE, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
  const values = device.createBuffer({ size, usage: STORAGE | COPY_DST | COPY_SRC });
  const readBack = device.createBuffer({ size, usage: MAP_READ | COPY_DST });
  device.queue.writeBuffer(values, 0, input);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer: values } }],
    }),
  );
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(values, 0, readBack, 0, size);
  device.queue.submit([encoder.finish()]);
  await readBack.mapAsync(GPUMapMode.READ);
  return new Uint32Array(readBack.getMappedRange().slice(0));
}

const [question, backend = "", name = ""] = process.argv.slice(2);
let answer: object;
try {
  answer = await (question === "list" ? listAdapters() : describeAdapter(backend, name));
} catch (error) {
  answer = { failure: error instanceof Error ? error.message : String(error) };
}
// Only then: drivers may hang or crash while a process with a device of theirs ends by itself.
process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0));

// One machine that is right, and what is said of it when one thing is wrong.
import { baselineLimits, type GpuAdapter } from "@octet/kernels";
import { expect, test } from "vitest";
import { diagnose } from "./diagnose.ts";
import type { DoctorFacts } from "./doctor-facts.ts";

const adapter: GpuAdapter = {
  name: "NVIDIA GeForce RTX 4090",
  backend: "vulkan",
  vendor: "nvidia",
  architecture: "lovelace",
  driver: "NVIDIA 550",
  isSoftware: false,
  subgroupSizes: [32, 32],
  features: ["shader-f16", "subgroups"],
  variants: ["subgroups"],
  languageFeatures: ["packed_4x8_integer_dot_product"],
  limits: { ...baselineLimits, maxStorageBufferBindingSize: 2 ** 31 - 4 },
  problem: undefined,
};

const rightMachine: DoctorFacts = {
  machine: {
    node: "v24.0.0",
    platform: "linux",
    arch: "x64",
    isContainer: true,
    cpu: "AMD EPYC",
    threads: 8,
    isas: ["avx512", "avx2", "portable"],
    isaProblem: undefined,
    memoryBytes: 32e9,
    memoryFreeBytes: 30e9,
  },
  vulkan: {
    loader: "/lib/libvulkan.so.1",
    drivers: [{ manifest: "/etc/vulkan/icd.d/n.json", library: "n.so", libraryPath: "/lib/n.so" }],
    variables: {},
    unreadable: [],
  },
  nodes: {
    pci: [{ slot: "0000:01:00.0", vendor: "nvidia", ids: "10de:2684" }],
    nodes: [{ path: "/dev/nvidia0", isUsable: true, groupId: 0 }],
  },
  gpu: { adapters: [adapter], failures: [], messages: [] },
  containerVariables: { NVIDIA_DRIVER_CAPABILITIES: "compute,utility,graphics" },
  shard: undefined,
};

const withGpu = (changes: Partial<GpuAdapter>) => ({
  gpu: { adapters: [{ ...adapter, ...changes }], failures: [], messages: [] },
});
const withVulkan = (changes: Partial<NonNullable<DoctorFacts["vulkan"]>>) => ({
  vulkan: { ...rightMachine.vulkan!, ...changes },
});

test("a machine that is right has no findings, and both engines", () => {
  expect(diagnose(rightMachine, false)).toEqual({
    cpu: { isUsable: true, detail: "avx512, 8 threads" },
    webgpu: { isUsable: true, detail: "NVIDIA GeForce RTX 4090 (vulkan)" },
    findings: [],
  });
});

test.each<[string, Partial<DoctorFacts>, text: string, advice: string]>([
  ["a shader that fails", withGpu({ problem: "no compiler" }), "no compiler", "incomplete"],
  [
    "too few bindings",
    withGpu({ limits: { ...adapter.limits, maxStorageBuffersPerShaderStage: 8 } }),
    "maxStorageBuffersPerShaderStage is 8, needed is 10",
    "cpu engine",
  ],
  [
    "an abort",
    { gpu: { adapters: [adapter], failures: ["X: ended by SIGABRT"], messages: [] } },
    "SIGABRT",
    "driver",
  ],
  ["a bad shard", { shard: { dir: "/s", problem: "no manifest" } }, "no manifest", "octet shard"],
  [
    "a tensor beyond a binding",
    { shard: { dir: "/s", weightBytes: 4e9, largestTensorBytes: 3e9 } },
    "3.00 GB",
    "--dtype",
  ],
  [
    "no addon",
    { machine: { ...rightMachine.machine, isas: [], isaProblem: "not built" } },
    "not built",
    "compiler",
  ],
])("%s is a problem that says what to do", (_, changes, text, advice) => {
  const { findings } = diagnose({ ...rightMachine, ...changes }, false);
  expect(findings.map(({ level }) => level)).toEqual(["problem"]);
  expect(findings[0]!.text).toContain(text);
  expect(findings[0]!.advice).toContain(advice);
});

test.each<[string, Partial<DoctorFacts>, text: string, advice: string]>([
  ["no loader", withVulkan({ loader: undefined }), "libvulkan.so.1", "libvulkan1"],
  ["no driver", withVulkan({ drivers: [] }), "no Vulkan driver", "holds graphics"],
  [
    "an emptied variable",
    withVulkan({ drivers: [], variables: { VK_DRIVER_FILES: "" } }),
    "VK_DRIVER_FILES is set to nothing",
    "unset VK_DRIVER_FILES",
  ],
  ["a lost manifest", withVulkan({ unreadable: ["/x.json"] }), "/x.json", "VK_DRIVER_FILES"],
  [
    "a lost library",
    withVulkan({ drivers: [{ manifest: "/m", library: "gone.so", libraryPath: undefined }] }),
    "names gone.so",
    "half installed",
  ],
  [
    "no graphics capability",
    { containerVariables: { NVIDIA_DRIVER_CAPABILITIES: "compute,utility" } },
    'is "compute,utility"',
    "NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics",
  ],
  ["capabilities by default", { containerVariables: {} }, "is not set", "graphics"],
  [
    "no device given",
    { nodes: { pci: rightMachine.nodes.pci, nodes: [] } },
    "no /dev/nvidia*",
    "container toolkit",
  ],
  [
    "a node of another group",
    { nodes: { pci: [], nodes: [{ path: "/dev/dri/renderD128", isUsable: false, groupId: 105 }] } },
    "/dev/dri/renderD128",
    "--group-add 105",
  ],
  [
    "no render node",
    { nodes: { pci: [{ slot: "0", vendor: "amd", ids: "1002:744c" }], nodes: [] } },
    "/dev/dri",
    "--device /dev/dri",
  ],
])("%s explains why there is no GPU, and does not matter where one works", (...row) => {
  const [, changes, text, advice] = row;
  const gpu = { adapters: [], failures: [], messages: [] };
  const [problem, none] = diagnose({ ...rightMachine, gpu, ...changes }, false).findings;
  expect(problem!.level).toBe("problem");
  expect(problem!.text).toContain(text);
  expect(problem!.advice).toContain(advice);
  expect(none).toMatchObject({ level: "warning", text: "no GPU was found" });
  const { webgpu, findings } = diagnose({ ...rightMachine, ...changes }, false);
  expect(webgpu.isUsable).toBe(true);
  expect(findings.map(({ level }) => level)).toEqual(["note"]);
});

test("a software adapter is used only where it is allowed, and warned of all the same", () => {
  const facts = { ...rightMachine, ...withGpu({ isSoftware: true }) };
  expect(diagnose(facts, false).webgpu).toEqual({
    isUsable: false,
    detail: "only a software adapter",
  });
  expect(diagnose(facts, true).webgpu.isUsable).toBe(true);
  expect(diagnose(facts, true).findings.map(({ level }) => level)).toEqual(["warning"]);
});

test("an adapter that cannot run a shader, or has too little, is not usable", () => {
  const broken = { ...rightMachine, ...withGpu({ problem: "no compiler" }) };
  expect(diagnose(broken, true).webgpu.isUsable).toBe(false);
  const small = { ...rightMachine, ...withGpu({ limits: {} }) };
  expect(diagnose(small, true).webgpu.isUsable).toBe(false);
});

test("two adapters of one name are told apart from outside", () => {
  const gpu = { adapters: [adapter, adapter], failures: [], messages: [] };
  expect(diagnose({ ...rightMachine, gpu }, false).findings).toMatchObject([
    { level: "note", text: expect.stringContaining("several NVIDIA GeForce RTX 4090") },
  ]);
});

test("weights beyond the memory are a warning; problems come before it", () => {
  const shard = { dir: "/s", weightBytes: 64e9, largestTensorBytes: 1e6 };
  const facts = { ...rightMachine, shard, ...withGpu({ problem: "no compiler" }) };
  const { findings } = diagnose(facts, false);
  expect(findings.map(({ level }) => level)).toEqual(["problem", "warning"]);
  expect(findings[1]!.text).toContain("64.0 GB");
});

test("macOS and Windows need no Vulkan", () => {
  const machine = { ...rightMachine.machine, platform: "darwin" as const, isContainer: false };
  const nodes = { pci: [], nodes: [] };
  const facts = { ...rightMachine, machine, nodes, vulkan: undefined };
  expect(diagnose(facts, false).findings).toEqual([]);
});

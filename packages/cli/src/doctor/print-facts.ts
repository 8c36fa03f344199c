// The doctor's report as people read it.
import type { GpuAdapter } from "@octet/kernels";
import { formatBytes } from "../format.ts";
import type { Diagnosis } from "./diagnose.ts";
import type { DoctorFacts } from "./doctor-facts.ts";

/** Features that change which kernels run, or what can be measured. */
const featuresOfInterest = [
  "subgroups",
  "chromium-experimental-subgroup-matrix",
  "shader-f16",
  "timestamp-query",
];
const languageFeaturesOfInterest = ["packed_4x8_integer_dot_product", "immediate_address_space"];

/** Several lines, ended by a line break. */
export function formatReport(facts: DoctorFacts, diagnosis: Diagnosis): string {
  const sections: [title: string, lines: string[]][] = [
    ["machine", machineLines(facts)],
    ["vulkan", vulkanLines(facts)],
    ["devices", deviceLines(facts)],
    ["adapters", facts.gpu.adapters.flatMap(adapterLines)],
    ["said", [...facts.gpu.messages]],
    ["shard", shardLines(facts)],
    ["engines", engineLines(diagnosis)],
  ];
  const report = sections
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => lines.map((line, i) => `${(i ? "" : title).padEnd(10)}${line}`));
  const findings = diagnosis.findings.map(({ level, text, advice }) => [
    `${level}: ${text}`,
    `  -> ${advice}`,
  ]);
  return `${[...report, ...findings].map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function machineLines({ machine }: DoctorFacts): string[] {
  const where = machine.isContainer ? ", in a container" : "";
  return [
    `Node ${machine.node.slice(1)}, ${machine.platform} ${machine.arch}${where}`,
    `${machine.cpu}, ${machine.threads} threads; kernels: ${machine.isas.join(", ") || "none"}`,
    `memory ${formatBytes(machine.memoryBytes)}, ${formatBytes(machine.memoryFreeBytes)} available`,
  ];
}

function vulkanLines({ vulkan }: DoctorFacts): string[] {
  if (vulkan === undefined) return [];
  return [
    `loader ${vulkan.loader ?? "not found"}`,
    ...vulkan.drivers.map(({ manifest, library, libraryPath }) => {
      return `driver ${manifest}: ${libraryPath ?? `${library}, not found`}`;
    }),
    ...vulkan.unreadable.map((path) => `driver ${path}: not readable`),
    ...Object.entries(vulkan.variables).map(([name, value]) => `${name}=${value}`),
  ];
}

function deviceLines({ nodes, containerVariables }: DoctorFacts): string[] {
  return [
    ...nodes.pci.map(({ slot, vendor, ids }) => `pci ${slot}: ${vendor ?? "other"} ${ids}`),
    ...nodes.nodes.map(({ path, isUsable, groupId }) => {
      return `${path}: ${isUsable ? "may be used" : `may not be used (group ${groupId})`}`;
    }),
    ...Object.entries(containerVariables).map(([name, value]) => `${name}=${value}`),
  ];
}

function adapterLines(adapter: GpuAdapter): string[] {
  const { limits, subgroupSizes } = adapter;
  const features = [
    ...featuresOfInterest.map((name) => [name, adapter.features.includes(name)] as const),
    ...languageFeaturesOfInterest.map(
      (name) => [name, adapter.languageFeatures.includes(name)] as const,
    ),
  ];
  const listed = (wanted: boolean) =>
    features.flatMap(([name, isThere]) => (isThere === wanted ? [name] : [])).join(", ") || "none";
  return [
    `${adapter.name} (${adapter.backend})${adapter.isSoftware ? ", software" : ""}`,
    `  ${[adapter.vendor, adapter.architecture, adapter.driver].filter(Boolean).join(", ")}`,
    `  has ${listed(true)}`,
    `  lacks ${listed(false)}`,
    `  subgroups of ${subgroupSizes?.join(" to ") ?? "unknown size"}; workgroups of ` +
      `${limits.maxComputeInvocationsPerWorkgroup} threads with ` +
      `${formatBytes(limits.maxComputeWorkgroupStorageSize ?? 0)}; ` +
      `${limits.maxStorageBuffersPerShaderStage} storage buffers`,
    `  one buffer ${formatBytes(limits.maxBufferSize ?? 0)}, one binding ` +
      `${formatBytes(limits.maxStorageBufferBindingSize ?? 0)}`,
    `  kernels use ${adapter.variants.join(", ") || "the baseline"}`,
    `  ${adapter.problem === undefined ? "ran a small shader" : `failed: ${adapter.problem}`}`,
  ];
}

function shardLines({ shard }: DoctorFacts): string[] {
  if (shard === undefined) return [];
  if (shard.problem !== undefined) return [`${shard.dir}: cannot be opened`];
  return [
    `${shard.dir}: ${shard.name}, ${shard.weightDtype}`,
    `${formatBytes(shard.weightBytes ?? 0)}, largest tensor ` +
      `${formatBytes(shard.largestTensorBytes ?? 0)}`,
  ];
}

function engineLines({ cpu, webgpu }: Diagnosis): string[] {
  return Object.entries({ cpu, webgpu }).map(([kind, { isUsable, detail }]) => {
    return `${kind.padEnd(7)} ${isUsable ? "can be used" : "cannot be used"}: ${detail}`;
  });
}

// Why Vulkan finds no GPU on Linux: loader, manifests, variables, files below /dev. Pure.
import type { DoctorFacts } from "./doctor-facts.ts";
import type { Finding } from "./finding.ts";
import type { GpuVendor } from "./gpu-nodes.ts";
import type { VulkanFiles } from "./vulkan-files.ts";

/** What is wrong with how drivers are installed and reached; nothing where Vulkan is not used. */
export function findDriverProblems(facts: DoctorFacts): Finding[] {
  const { vulkan } = facts;
  if (vulkan === undefined) return [];
  return [
    ...findLoaderProblems(vulkan),
    ...findManifestProblems(vulkan, facts),
    ...findNvidiaProblems(facts),
    ...findNodeProblems(facts),
  ];
}

function problem(text: string, advice: string): Finding {
  return { level: "problem", about: "gpu", text, advice };
}

function findLoaderProblems({ loader }: VulkanFiles): Finding[] {
  if (loader !== undefined) return [];
  return [
    problem(
      "Vulkan's loader, libvulkan.so.1, is not installed",
      "apt-get install libvulkan1 (Debian, Ubuntu) or dnf install vulkan-loader (Fedora); " +
        "octet's image with GPU support has it",
    ),
  ];
}

const driverPackage: Readonly<Record<GpuVendor, string>> = {
  nvidia:
    "NVIDIA: the driver brings nvidia_icd.json; in a container it is mounted if " +
    "NVIDIA_DRIVER_CAPABILITIES holds graphics",
  amd: "AMD: apt-get install mesa-vulkan-drivers (RADV), in the container if there is one",
  intel: "Intel: apt-get install mesa-vulkan-drivers (ANV), in the container if there is one",
};

function findManifestProblems(vulkan: VulkanFiles, facts: DoctorFacts): Finding[] {
  const { drivers, variables, unreadable } = vulkan;
  const findings: Finding[] = unreadable.map((path) =>
    problem(
      `the driver manifest ${path} is missing or no ICD file`,
      "correct VK_DRIVER_FILES or VK_ICD_FILENAMES if it is named there; else install the driver again",
    ),
  );
  for (const { manifest, library, libraryPath } of drivers) {
    if (libraryPath !== undefined) continue;
    findings.push(
      problem(
        `${manifest} names ${library}, which is not there`,
        "the driver is half installed, or only its manifest was mounted into the container",
      ),
    );
  }
  const emptied = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"].find((name) => variables[name] === "");
  if (emptied !== undefined) {
    findings.push(
      problem(`${emptied} is set to nothing, so no driver is looked for`, `unset ${emptied}`),
    );
  } else if (drivers.length === 0 && unreadable.length === 0) {
    findings.push(problem("no Vulkan driver is installed", adviceFor(facts)));
  }
  return findings;
}

/** For the GPUs that are on the bus; for all vendors if none is seen. */
function adviceFor({ nodes }: DoctorFacts): string {
  const seen = nodes.pci.flatMap(({ vendor }) => (vendor === undefined ? [] : [vendor]));
  const vendors = seen.length > 0 ? [...new Set(seen)] : (["nvidia", "amd", "intel"] as const);
  return vendors.map((vendor) => driverPackage[vendor]).join("; ");
}

function findNvidiaProblems({ machine, nodes, containerVariables }: DoctorFacts): Finding[] {
  const { NVIDIA_VISIBLE_DEVICES: devices, NVIDIA_DRIVER_CAPABILITIES: capabilities } =
    containerVariables;
  const isGiven = nodes.nodes.some(({ path }) => path.includes("nvidia"));
  const isNvidia = nodes.pci.some(({ vendor }) => vendor === "nvidia");
  if (!machine.isContainer || !(isGiven || isNvidia || devices !== undefined)) return [];
  const findings: Finding[] = [];
  const granted = (capabilities ?? "compute,utility").split(",").map((name) => name.trim());
  if (!granted.includes("graphics") && !granted.includes("all")) {
    const found = capabilities === undefined ? "not set" : `"${capabilities}"`;
    findings.push(
      problem(
        `NVIDIA_DRIVER_CAPABILITIES is ${found}: the container lacks NVIDIA's Vulkan driver`,
        "start it with NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics (or all)",
      ),
    );
  }
  if (!isGiven) {
    findings.push(
      problem(
        "no /dev/nvidia* in this container, so NVIDIA's GPUs are not given to it",
        "run it with --gpus or the compose overlay; that needs the NVIDIA container toolkit",
      ),
    );
  }
  return findings;
}

function findNodeProblems({ machine, nodes }: DoctorFacts): Finding[] {
  const findings: Finding[] = [];
  for (const { path, isUsable, groupId } of nodes.nodes) {
    if (isUsable) continue;
    findings.push(
      problem(
        `this user may not read and write ${path}`,
        machine.isContainer
          ? `add group ${groupId} to the container (--group-add ${groupId}, group_add in compose)`
          : `add the user to group ${groupId}, often "render" or "video", and log in again`,
      ),
    );
  }
  const usesDri = nodes.pci.some(({ vendor }) => vendor === "amd" || vendor === "intel");
  const hasDri = nodes.nodes.some(({ path }) => path.includes("/dri/"));
  if (usesDri && !hasDri) {
    findings.push(
      problem(
        "an AMD or Intel GPU is on the bus, and /dev/dri has no renderD* file",
        machine.isContainer
          ? "run the container with --device /dev/dri, or the compose overlay"
          : "the kernel's driver (amdgpu, i915 or xe) is not loaded",
      ),
    );
  }
  return findings;
}

// GPUs as the kernel shows them: on the PCI bus, and as files that a driver opens.
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** A vendor of GPUs that this knows how to advise on. */
export type GpuVendor = "nvidia" | "amd" | "intel";

/** A display controller on the PCI bus; a container sees those of its host. */
export interface PciGpu {
  readonly slot: string;
  readonly vendor: GpuVendor | undefined;
  /** "10de:2684" */
  readonly ids: string;
}

/** A file through which a driver reaches a GPU. */
export interface DeviceNode {
  readonly path: string;
  /** Whether this process may read and write it. */
  readonly isUsable: boolean;
  /** The group that owns it, by number. */
  readonly groupId: number;
}

/** What the kernel shows. */
export interface GpuNodes {
  readonly pci: readonly PciGpu[];
  readonly nodes: readonly DeviceNode[];
}

const vendorOfId: Readonly<Record<string, GpuVendor>> = {
  "10de": "nvidia",
  "1002": "amd",
  "8086": "intel",
};

/** @param root put before every path, for tests */
export function findGpuNodes(root = ""): GpuNodes {
  return { pci: findPciGpus(join(root, "/sys/bus/pci/devices")), nodes: findNodes(root) };
}

function findPciGpus(folder: string): PciGpu[] {
  return list(folder).flatMap((slot) => {
    const read = (name: string) => readFileSync(join(folder, slot, name), "utf8").trim();
    try {
      if (!read("class").startsWith("0x03")) return []; // 03: display controllers
      const [vendorId, deviceId] = [read("vendor").slice(2), read("device").slice(2)];
      return [{ slot, vendor: vendorOfId[vendorId], ids: `${vendorId}:${deviceId}` }];
    } catch {
      return []; // hidden from this process
    }
  });
}

function findNodes(root: string): DeviceNode[] {
  const dev = join(root, "/dev");
  const dri = list(join(dev, "dri")).filter((name) => name.startsWith("renderD"));
  const nvidia = list(dev).filter((name) => /^nvidia(\d+|ctl|-modeset)$/.test(name));
  const paths = [...dri.map((name) => join(dev, "dri", name)), ...nvidia.map((n) => join(dev, n))];
  return paths.map((path) => ({
    path,
    isUsable: isUsable(path),
    groupId: statSync(path).gid,
  }));
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

function isUsable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

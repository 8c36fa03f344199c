import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findGpuNodes } from "./gpu-nodes.ts";

function temporaryRoot(): string {
  const root = mkdtempSync(join(tmpdir(), "octet-nodes-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

function addPciDevice(root: string, slot: string, ids: [string, string, string]): void {
  const folder = join(root, "sys/bus/pci/devices", slot);
  mkdirSync(folder, { recursive: true });
  for (const [i, name] of ["class", "vendor", "device"].entries()) {
    writeFileSync(join(folder, name), `${ids[i]}\n`);
  }
}

test("display controllers are told from other devices, and their vendors by number", () => {
  const root = temporaryRoot();
  addPciDevice(root, "0000:01:00.0", ["0x030000", "0x10de", "0x2684"]);
  addPciDevice(root, "0000:02:00.0", ["0x020000", "0x8086", "0x1533"]); // a network card
  addPciDevice(root, "0000:03:00.0", ["0x030200", "0x1002", "0x744c"]);
  addPciDevice(root, "0000:04:00.0", ["0x030000", "0x1a03", "0x2000"]);
  expect(findGpuNodes(root).pci).toEqual([
    { slot: "0000:01:00.0", vendor: "nvidia", ids: "10de:2684" },
    { slot: "0000:03:00.0", vendor: "amd", ids: "1002:744c" },
    { slot: "0000:04:00.0", vendor: undefined, ids: "1a03:2000" },
  ]);
});

test("only files that compute goes through are listed; none is no failure", () => {
  const root = temporaryRoot();
  expect(findGpuNodes(root)).toEqual({ pci: [], nodes: [] });
  mkdirSync(join(root, "dev/dri"), { recursive: true });
  for (const name of ["dri/card0", "dri/renderD128", "nvidia0", "nvidiactl", "nvidia-caps"]) {
    writeFileSync(join(root, "dev", name), "");
    chmodSync(join(root, "dev", name), 0o600);
  }
  const { nodes } = findGpuNodes(root);
  expect(nodes.map(({ path }) => path.slice(root.length))).toEqual([
    "/dev/dri/renderD128",
    "/dev/nvidia0",
    "/dev/nvidiactl",
  ]);
  expect(nodes.every(({ isUsable }) => isUsable)).toBe(true);
});

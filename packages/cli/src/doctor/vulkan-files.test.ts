import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findVulkanFiles } from "./vulkan-files.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "octet-vulkan-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, content: string): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content);
  return full;
}

function icd(path: string, library: string): string {
  return write(path, JSON.stringify({ ICD: { library_path: library, api_version: "1.3.0" } }));
}

function search(environment: Record<string, string>, libraries: Record<string, string> = {}) {
  const findLibrary = (name: string) => libraries[name];
  return findVulkanFiles({ environment: { HOME: "/home/me", ...environment }, root, findLibrary });
}

test("manifests of all the loader's folders are found, and their libraries by name or path", () => {
  const nvidia = icd("etc/vulkan/icd.d/nvidia_icd.json", "libGLX_nvidia.so.0");
  const radeon = icd("usr/share/vulkan/icd.d/radeon_icd.json", "../lib/libvulkan_radeon.so");
  const mine = icd("home/me/.local/share/vulkan/icd.d/mine.json", "libmine.so");
  write("usr/share/vulkan/icd.d/README", "no manifest");
  const library = write("usr/share/vulkan/lib/libvulkan_radeon.so", "");
  const found = search({}, { "libvulkan.so.1": "/lib/v", "libGLX_nvidia.so.0": "/lib/n" });
  expect(found.loader).toBe("/lib/v");
  expect(found.unreadable).toEqual([]);
  expect(found.drivers).toEqual([
    { manifest: nvidia, library: "libGLX_nvidia.so.0", libraryPath: "/lib/n" },
    { manifest: mine, library: "libmine.so", libraryPath: undefined },
    { manifest: radeon, library: "../lib/libvulkan_radeon.so", libraryPath: library },
  ]);
});

test("VK_DRIVER_FILES wins over VK_ICD_FILENAMES and the folders, even set to nothing", () => {
  icd("etc/vulkan/icd.d/a.json", "liba.so");
  const b = icd("elsewhere/b.json", "libb.so");
  const c = icd("elsewhere/c.json", "libc.so");
  const manifests = (environment: Record<string, string>) =>
    search(environment).drivers.map(({ manifest }) => manifest);
  expect(manifests({ VK_ICD_FILENAMES: b })).toEqual([b]);
  expect(manifests({ VK_ICD_FILENAMES: b, VK_DRIVER_FILES: c })).toEqual([c]);
  expect(manifests({ VK_DRIVER_FILES: join(root, "elsewhere") })).toEqual([b, c]);
  expect(manifests({ VK_ICD_FILENAMES: b, VK_DRIVER_FILES: "" })).toEqual([]);
});

test("a manifest that is missing or broken is named", () => {
  const broken = write("etc/vulkan/icd.d/broken.json", "{");
  const other = write("etc/vulkan/icd.d/other.json", "[]");
  expect(search({}).unreadable).toEqual([broken, other]);
  expect(search({ VK_DRIVER_FILES: "/nowhere/x.json" })).toMatchObject({
    loader: undefined,
    drivers: [],
    unreadable: ["/nowhere/x.json"],
    variables: { VK_DRIVER_FILES: "/nowhere/x.json" },
  });
});

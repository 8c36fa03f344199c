// Where Vulkan's loader looks for drivers on Linux, and what is there. Nothing is loaded.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";

/** A driver that a manifest announces. */
export interface VulkanDriver {
  /** The JSON file ("ICD") that names it. */
  readonly manifest: string;
  /** As the manifest writes it: a path or a bare name. */
  readonly library: string;
  /** Where the library is; undefined if the loader would not find it. */
  readonly libraryPath: string | undefined;
}

/** What is installed of Vulkan. */
export interface VulkanFiles {
  /** Path of libvulkan.so.1; undefined if there is none. */
  readonly loader: string | undefined;
  readonly drivers: readonly VulkanDriver[];
  /** Variables that steer the loader, as they are set. */
  readonly variables: Readonly<Record<string, string>>;
  /** Manifests that a variable names or a folder holds, and that cannot be read. */
  readonly unreadable: readonly string[];
}

/** What can be exchanged in tests. */
export interface VulkanSearch {
  readonly environment: NodeJS.ProcessEnv;
  /** Path of a shared library by its name, as the dynamic linker would find it. */
  readonly findLibrary: (name: string) => string | undefined;
  /** Put before every absolute path that is searched by default. */
  readonly root?: string;
}

const loaderName = "libvulkan.so.1";
const steeringVariables = [
  "VK_DRIVER_FILES",
  "VK_ICD_FILENAMES",
  "VK_ADD_DRIVER_FILES",
  "VK_LOADER_DRIVERS_SELECT",
  "VK_LOADER_DRIVERS_DISABLE",
];

/** Searches as the loader does: variables first, and only without them the folders. */
export function findVulkanFiles(search: VulkanSearch): VulkanFiles {
  const { environment } = search;
  const variables: Record<string, string> = {};
  for (const name of steeringVariables) {
    const value = environment[name];
    if (value !== undefined) variables[name] = value;
  }
  const given = environment.VK_DRIVER_FILES ?? environment.VK_ICD_FILENAMES;
  const paths = [
    ...splitPaths(environment.VK_ADD_DRIVER_FILES),
    ...(given === undefined ? manifestFolders(search) : splitPaths(given)),
  ];
  const drivers: VulkanDriver[] = [];
  const unreadable: string[] = [];
  for (const manifest of paths.flatMap(manifestsAt)) {
    const library = readLibrary(manifest);
    if (library === undefined) unreadable.push(manifest);
    else
      drivers.push({ manifest, library, libraryPath: resolveLibrary(manifest, library, search) });
  }
  return { loader: search.findLibrary(loaderName), drivers, variables, unreadable };
}

function splitPaths(list: string | undefined): string[] {
  return (list ?? "").split(":").filter((path) => path !== "");
}

function manifestFolders({ environment, root = "" }: VulkanSearch): string[] {
  const home = environment.HOME ?? "/";
  const folders = [
    environment.XDG_CONFIG_HOME || join(home, ".config"),
    ...splitPaths(environment.XDG_CONFIG_DIRS || "/etc/xdg"),
    "/usr/local/etc",
    "/etc",
    environment.XDG_DATA_HOME || join(home, ".local/share"),
    ...splitPaths(environment.XDG_DATA_DIRS || "/usr/local/share:/usr/share"),
  ];
  return [...new Set(folders)]
    .map((folder) => join(root, folder, "vulkan/icd.d"))
    .filter((folder) => existsSync(folder));
}

/** The manifests in a folder; a path that is no folder is a manifest, there or not. */
function manifestsAt(path: string): string[] {
  if (!existsSync(path) || !statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => join(path, name));
}

function readLibrary(manifest: string): string | undefined {
  try {
    const library = JSON.parse(readFileSync(manifest, "utf8"))?.ICD?.library_path;
    return typeof library === "string" ? library : undefined;
  } catch {
    return undefined; // listed as unreadable
  }
}

/** A path with a slash is relative to its manifest; a bare name is the dynamic linker's. */
function resolveLibrary(manifest: string, library: string, search: VulkanSearch) {
  if (!library.includes("/")) return search.findLibrary(library);
  const path = isAbsolute(library) ? library : join(dirname(manifest), library);
  return existsSync(path) ? path : undefined;
}

/** Looks where the dynamic linker does: LD_LIBRARY_PATH, its cache, and the usual folders. */
export function createLibraryFinder(
  environment: NodeJS.ProcessEnv,
): (name: string) => string | undefined {
  const cache = readLinkerCache();
  const usual = ["/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib"];
  return (name) => {
    const inFolder = (folders: readonly string[]) =>
      folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
    return inFolder(splitPaths(environment.LD_LIBRARY_PATH)) ?? cache.get(name) ?? inFolder(usual);
  };
}

/** "name (libc6,x86-64) => path" of `ldconfig -p`; of several builds, this process's. */
function readLinkerCache(): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  const build = { x64: "x86-64", arm64: "AArch64" }[process.arch as string] ?? "";
  for (const ldconfig of ["/sbin/ldconfig", "/usr/sbin/ldconfig"]) {
    if (!existsSync(ldconfig)) continue;
    const listed = execFileSync(ldconfig, ["-p"], { encoding: "utf8" });
    for (const [, name, kind, path] of listed.matchAll(/^\s*(\S+) \(([^)]*)\) => (.+)$/gm)) {
      if (kind!.includes(build) && !paths.has(name!)) paths.set(name!, path!);
    }
    break;
  }
  return paths;
}

// Fetches a Mesa with all that kernels' variants need of a device: its lavapipe computes on the CPU.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The first Debian whose backports have lavapipe with subgroup matrices: Mesa 26. */
const suite = "trixie";

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Where packages keep libraries, and the loader that starts programs with them, by Node's name. */
const layouts: Partial<Record<NodeJS.Architecture, { triplet: string; loader: string }>> = {
  x64: { triplet: "x86_64-linux-gnu", loader: "ld-linux-x86-64.so.2" },
  arm64: { triplet: "aarch64-linux-gnu", loader: "ld-linux-aarch64.so.1" },
};

/** A Mesa with the C library that it was built for, beside the machine's own. */
export interface InstalledMesa {
  /** Lavapipe's manifest for the Vulkan loader. */
  readonly manifest: string;
  /** The program and arguments that start a program with Mesa's libraries. */
  readonly launcher: readonly string[];
}

/**
 * Fetched once, into a folder of its own: nothing of the system is changed and no root is needed.
 *
 * @throws {Error} if it cannot be; the message says what is missing
 */
export function installMesa(): InstalledMesa {
  const layout = layouts[process.arch];
  if (process.platform !== "linux" || layout === undefined || !existsSync(keyring)) {
    throw new Error(`expected Debian on x64 or arm64 with ${keyring}, for Mesa's packages`);
  }
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const folder = join(cache, "octet", `mesa-${suite}-backports`);
  const root = join(folder, "root");
  const manifest = join(folder, "lavapipe.json");
  const libraries = join(root, "usr/lib", layout.triplet);
  if (!existsSync(manifest)) {
    say(`fetching Mesa of ${suite}-backports into ${folder} (once, 70 MB)`);
    rmSync(folder, { recursive: true, force: true });
    fetchPackages(folder, root);
    const library = join(libraries, "libvulkan_lvp.so");
    const [name] = readdirSync(join(root, "usr/share/vulkan/icd.d")).filter((file) =>
      file.startsWith("lvp_icd"),
    );
    const said = JSON.parse(readFileSync(join(root, "usr/share/vulkan/icd.d", name!), "utf8"));
    said.ICD.library_path = library;
    // Last: it says that the rest is there.
    writeFileSync(manifest, JSON.stringify(said));
  }
  // Node's own libraries are the system's where Mesa's packages have no newer ones.
  const path = [libraries, `/usr/lib/${layout.triplet}`].join(":");
  return { manifest, launcher: [join(libraries, layout.loader), "--library-path", path] };
}

function fetchPackages(folder: string, root: string): void {
  for (const made of ["lists/partial", "cache/archives/partial", "root"]) {
    mkdirSync(join(folder, made), { recursive: true });
  }
  const source = (name: string) =>
    `deb [signed-by=${keyring}] http://deb.debian.org/debian ${name} main\n`;
  writeFileSync(join(folder, "sources.list"), source(suite) + source(`${suite}-backports`));
  writeFileSync(join(folder, "status"), ""); // as if nothing were installed
  const config = join(folder, "apt.conf");
  const settings = {
    "Dir::State::Lists": join(folder, "lists"),
    "Dir::State::status": join(folder, "status"),
    "Dir::Cache": join(folder, "cache"),
    "Dir::Etc::SourceList": join(folder, "sources.list"),
    "Dir::Etc::SourceParts": "/nonexistent",
    "APT::Sandbox::User": "root",
    "Acquire::Languages": "none",
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
  writeFileSync(config, lines.join(""));
  const env = { ...process.env, APT_CONFIG: config };
  run("apt-get", ["-q", "update"], env);
  const install = ["install", "--yes", "--no-install-recommends", "--download-only"];
  const packages = ["mesa-vulkan-drivers", "libvulkan1"];
  run("apt-get", ["-q", ...install, "-t", `${suite}-backports`, ...packages], env);
  const archives = join(folder, "cache/archives");
  for (const file of readdirSync(archives).filter((name) => name.endsWith(".deb"))) {
    run("dpkg-deb", ["-x", join(archives, file), root], env);
  }
  for (const done of ["cache", "lists"]) rmSync(join(folder, done), { recursive: true });
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  const stdio = ["ignore", process.stderr, process.stderr] as const;
  const { status } = spawnSync(command, args, { env, stdio: [...stdio] });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed; its messages are above`);
}

function say(text: string): void {
  process.stderr.write(`octet: ${text}\n`);
}

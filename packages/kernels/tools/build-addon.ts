// Builds the C++ kernels with nothing but a C++17 compiler.
//
//   node tools/build-addon.ts             build/octet-kernels.node
//   node tools/build-addon.ts --sanitize  build/self-test, under the sanitizers the compiler has
//   node tools/build-addon.ts --arm64     build/self-test-arm64, by a cross compiler: CXX, or
//                                         Debian's g++-aarch64-linux-gnu; qemu-aarch64 runs it
//   node tools/build-addon.ts --bench     build/bench-attend
//
// Does nothing when the sources, the flags and the compiler are those of the last build.
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { BuildError, type Compiler, compile, findCompiler, forEachInParallel } from "./compiler.ts";
import {
  addonUnits,
  benchUnits,
  commonFlags,
  nativeFolder,
  packageFolder,
  selfTestUnits,
  type Unit,
} from "./units.ts";

/** What one run produces. */
interface Product {
  readonly file: string;
  readonly units: readonly Unit[];
  readonly compileFlags: readonly string[];
  readonly linkFlags: readonly string[];
}

const buildFolder = join(packageFolder, "build");

async function productFor(args: readonly string[], compiler: Compiler): Promise<Product> {
  if (args.includes("--sanitize")) return await selfTest(compiler);
  if (args.includes("--arm64")) return arm64SelfTest();
  return args.includes("--bench") ? bench() : addon();
}

function addon(): Product {
  const unresolved = process.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : [];
  return {
    file: "octet-kernels.node",
    units: addonUnits(process.arch),
    compileFlags: [...commonFlags, "-O3"],
    // Node-API's symbols are found in the running node.
    linkFlags: ["-shared", "-pthread", ...unresolved],
  };
}

async function selfTest(compiler: Compiler): Promise<Product> {
  const sanitizers = await findSanitizers(compiler);
  return {
    file: "self-test",
    units: selfTestUnits(process.arch),
    compileFlags: [...commonFlags, "-O1", "-g", ...sanitizers],
    linkFlags: ["-pthread", ...sanitizers],
  };
}

/** Linked whole, so that an emulator needs no foreign libraries. */
function arm64SelfTest(): Product {
  return {
    file: "self-test-arm64",
    units: selfTestUnits("arm64"),
    compileFlags: [...commonFlags, "-O2"],
    linkFlags: ["-pthread", "-static"],
  };
}

function bench(): Product {
  return {
    file: "bench-attend",
    units: benchUnits(process.arch),
    compileFlags: [...commonFlags, "-O3"],
    linkFlags: ["-pthread"],
  };
}

/** The sanitizers' flags, or none, said aloud, where the compiler came without their libraries. */
async function findSanitizers(compiler: Compiler): Promise<string[]> {
  const flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
  const folder = mkdtempSync(join(buildFolder, "probe-"));
  try {
    writeFileSync(join(folder, "probe.cpp"), "int main() { return 0; }\n");
    await compile(compiler, [...flags, join(folder, "probe.cpp"), "-o", join(folder, "probe")]);
    return flags;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    say("this compiler has no sanitizer libraries; building the self-test without them");
    return [];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function fingerprint(product: Product, compiler: Compiler): string {
  const hash = createHash("sha256");
  const { units, compileFlags, linkFlags } = product;
  hash.update(JSON.stringify([compiler, process.platform, units, compileFlags, linkFlags]));
  for (const file of readdirSync(nativeFolder).sort()) {
    hash.update(file).update(readFileSync(join(nativeFolder, file)));
  }
  return hash.digest("hex");
}

function isUpToDate(file: string, stamp: string): boolean {
  const stampFile = join(buildFolder, `${file}.stamp`);
  if (!existsSync(join(buildFolder, file)) || !existsSync(stampFile)) return false;
  return readFileSync(stampFile, "utf8") === stamp;
}

async function build(product: Product, compiler: Compiler): Promise<void> {
  const stamp = fingerprint(product, compiler);
  if (isUpToDate(product.file, stamp)) return;
  const started = performance.now();
  // A folder of its own, and a rename at the end: two builds at once do no harm, and a process that
  // has the old addon open keeps it.
  const objects = mkdtempSync(join(buildFolder, "objects-"));
  try {
    await forEachInParallel(product.units, ({ name, source, flags }) => {
      const output = ["-o", join(objects, `${name}.o`)];
      const args = [...product.compileFlags, ...flags, "-c", join(nativeFolder, source), ...output];
      return compile(compiler, args);
    });
    const linked = join(objects, product.file);
    const inputs = product.units.map(({ name }) => join(objects, `${name}.o`));
    await compile(compiler, [...inputs, ...product.linkFlags, "-o", linked]);
    renameSync(linked, join(buildFolder, product.file));
    writeFileSync(join(buildFolder, `${product.file}.stamp`), stamp);
  } finally {
    rmSync(objects, { recursive: true });
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(`built ${product.file} with ${compiler.version} in ${seconds} s`);
}

function say(text: string): void {
  process.stderr.write(`kernels: ${text}\n`);
}

try {
  mkdirSync(buildFolder, { recursive: true });
  const options = process.argv.slice(2);
  const isCross = options.includes("--arm64");
  const compiler = await findCompiler(
    process.env.CXX ?? (isCross ? "aarch64-linux-gnu-g++" : undefined),
  );
  await build(await productFor(options, compiler), compiler);
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  say(error.message);
  process.exitCode = 1;
}

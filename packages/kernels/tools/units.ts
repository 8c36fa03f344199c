// What is compiled, and with which flags.
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** packages/kernels */
export const packageFolder = dirname(dirname(fileURLToPath(import.meta.url)));
export const nativeFolder = join(packageFolder, "native");

/** One translation unit. */
export interface Unit {
  /** Of the object file; a source may be compiled more than once. */
  readonly name: string;
  readonly source: string;
  readonly flags: readonly string[];
}

/** Compiled into the addon and into the self-test. */
export const commonFlags = [
  "-std=c++17",
  // Contraction would fuse a multiply and an add in one build and not in another.
  "-ffp-contract=off",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-fPIC",
  "-fvisibility=hidden",
  "-pthread",
];

const kernelsSource = "kernels.cpp";

function kernelUnits(arch: string): Unit[] {
  const portable = { name: "kernels-portable", source: kernelsSource, flags: [] };
  if (arch === "arm64") {
    const flags = ["-DOCTET_NEON", "-march=armv8.2-a+dotprod"];
    return [{ name: "kernels-neon", source: kernelsSource, flags }, portable];
  }
  if (arch !== "x64") return [portable];
  const avx512 = ["f", "bw", "vl", "dq", "vnni"].map((part) => `-mavx512${part}`);
  return [
    {
      name: "kernels-avx512",
      source: kernelsSource,
      flags: [
        "-DOCTET_AVX512",
        ...avx512,
        // GCC 12's own AVX-512 header sets off these two (GCC bug 105593). The same kernels are
        // compiled with both warnings on in the other builds.
        "-Wno-uninitialized",
        "-Wno-maybe-uninitialized",
        "-Wno-unknown-warning-option",
      ],
    },
    {
      name: "kernels-avx2",
      source: kernelsSource,
      flags: ["-DOCTET_AVX2", "-mavx2", "-mfma", "-mf16c"],
    },
    portable,
  ];
}

function isGlue(source: string): boolean {
  return source.endsWith("addon.cpp") || source === "async-host.cpp";
}

function isSelfTest(source: string): boolean {
  return source.startsWith("self-test");
}

function isBench(source: string): boolean {
  return source.startsWith("bench-");
}

function engineUnits(keep: (source: string) => boolean, flags: readonly string[]): Unit[] {
  return readdirSync(nativeFolder)
    .filter((file) => file.endsWith(".cpp") && file !== kernelsSource && keep(file))
    .sort()
    .map((source) => ({ name: source.replace(/\.cpp$/, ""), source, flags }));
}

/** The addon: kernels, engines, and the glue to Node-API. */
export function addonUnits(arch: string): Unit[] {
  const require = createRequire(import.meta.url);
  const headers = ["node-addon-api/package.json", "node-api-headers/package.json"].map((file) =>
    dirname(require.resolve(file)),
  );
  const [addonApi, nodeApi] = headers as [string, string];
  const glueFlags = [
    "-isystem",
    addonApi,
    "-isystem",
    join(nodeApi, "include"),
    "-DNAPI_VERSION=9",
    "-DNODE_ADDON_API_CPP_EXCEPTIONS_ALL",
  ];
  const notGlue = (file: string) => !isGlue(file) && !isSelfTest(file) && !isBench(file);
  return [...kernelUnits(arch), ...engineUnits(isGlue, glueFlags), ...engineUnits(notGlue, [])];
}

/** The self-test: kernels and engines without Node. */
export function selfTestUnits(arch: string): Unit[] {
  return [...kernelUnits(arch), ...engineUnits((file) => !isGlue(file) && !isBench(file), [])];
}

/** The measurements of attention: kernels and engines without Node. */
export function benchUnits(arch: string): Unit[] {
  return [...kernelUnits(arch), ...engineUnits((file) => !isGlue(file) && !isSelfTest(file), [])];
}

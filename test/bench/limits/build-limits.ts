// Builds the program that measures the machine, once for each state of its sources and compiler.
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile, findCompiler } from "../../../packages/kernels/tools/compiler.ts";

const sourceFolder = fileURLToPath(new URL(".", import.meta.url));
const sources = ["limits.cpp", "peaks.cpp"];
const headers = ["peaks.h"];
const flags = ["-std=c++17", "-O3", "-Wall", "-Wextra", "-Werror", "-pthread"];

/**
 * @param folder where programs are kept; created if need be
 * @returns the program's path
 * @throws {BuildError} if there is no compiler, or it refuses
 */
export async function buildLimits(folder: string): Promise<string> {
  const compiler = await findCompiler(process.env.CXX);
  const hash = createHash("sha256").update(JSON.stringify([compiler, flags]));
  for (const file of [...sources, ...headers])
    hash.update(await readFile(join(sourceFolder, file)));
  const program = join(folder, `limits-${hash.digest("hex").slice(0, 16)}`);
  if (await exists(program)) return program;
  await mkdir(folder, { recursive: true });
  const unfinished = `${program}.${process.pid}`;
  const paths = sources.map((source) => join(sourceFolder, source));
  await compile(compiler, [...flags, ...paths, "-o", unfinished]);
  await rename(unfinished, program);
  return program;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

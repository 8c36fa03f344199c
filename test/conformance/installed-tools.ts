// Installs what conformance tests run, once, below node_modules. A failed install fails its tests.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
/** Of the repository. */
export const root = join(import.meta.dirname, "../..");
const cacheFolder = join(root, "node_modules", ".cache", "conformance");
/** Where Go's own installer puts it, if the PATH does not have it. */
const goFolder = "/usr/local/go/bin";
/** What a compiler may print. */
const outputBytesMax = 64 * 1024 * 1024;

/** Everything a finished program leaves. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, whatever that is; rejects if it cannot be started or hangs. */
export function runProgram(command: string, args: readonly string[]): Promise<Finished> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { timeout: 60_000, cwd: root }, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr });
      else if (typeof error.code === "number") resolve({ code: error.code, stdout, stderr });
      else reject(new Error(`${command} did not end by itself`, { cause: error }));
    });
  });
}

/** grpcurl, compiled from its sources. */
export async function installGrpcurl(): Promise<string> {
  const module = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3";
  const folder = await installOnce("grpcurl", module, async (out) => {
    await runGo(["install", module], root, { GOBIN: out });
  });
  return join(folder, "grpcurl");
}

/** The example in Go, compiled with stubs made from proto/. */
export async function buildGoExample(): Promise<string> {
  const source = join(root, "examples/go");
  const folder = await installOnce("go-example", await contentsOf(goInputs), async (out) => {
    const proto = join(root, "proto");
    const only = ["--path", join(proto, "octet/inference")];
    await run("buf", ["generate", proto, ...only], { cwd: source, env: withGo() });
    await runGo(["vet", "."], source);
    await runGo(["build", "-o", join(out, "example"), "."], source);
  });
  return join(folder, "example");
}

/** The Python of an environment that has the example's requirements, and stubs beside it. */
export async function installPythonExample(): Promise<{ python: string; script: string }> {
  const source = join(root, "examples/python");
  const folder = await installOnce(
    "python-example",
    await contentsOf(pythonInputs),
    async (out) => {
      await run("python3", ["-m", "venv", join(out, "venv")]);
      const python = join(out, "venv/bin/python");
      const requirements = ["-r", join(source, "requirements.txt")];
      await run(python, ["-m", "pip", "install", "--quiet", ...requirements]);
      const outs = [`--python_out=${out}`, `--grpc_python_out=${out}`];
      const proto = "octet/inference/v1/inference.proto";
      await run(python, ["-m", "grpc_tools.protoc", "-I", join(root, "proto"), ...outs, proto]);
    },
  );
  // Python finds the stubs beside the script that it runs.
  const script = join(folder, "stream.py");
  await copyFile(join(source, "stream.py"), script);
  return { python: join(folder, "venv/bin/python"), script };
}

const protoInput = "proto/octet/inference/v1/inference.proto";
const goInputs = [
  protoInput,
  ...["main.go", "go.mod", "go.sum", "buf.gen.yaml"].map((name) => `examples/go/${name}`),
];
const pythonInputs = [protoInput, "examples/python/requirements.txt"];

async function contentsOf(paths: readonly string[]): Promise<string> {
  return (await Promise.all(paths.map((path) => readFile(join(root, path), "utf8")))).join("\0");
}

/**
 * A folder that `install` filled for just these inputs, now or before. It is marked when all is done,
 * so that an interrupted install is no install.
 */
async function installOnce(
  name: string,
  inputs: string,
  install: (folder: string) => Promise<void>,
): Promise<string> {
  const hash = createHash("sha256").update(inputs).digest("hex").slice(0, 16);
  const folder = join(cacheFolder, `${name}-${hash}`);
  const done = join(folder, ".installed");
  if (existsSync(done)) return folder;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await install(folder);
  await writeFile(done, "");
  return folder;
}

function runGo(args: readonly string[], cwd: string, env: Record<string, string> = {}) {
  return run("go", args, { cwd, env: { ...withGo(), ...env }, maxBuffer: outputBytesMax });
}

function withGo(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH}${delimiter}${goFolder}` };
}

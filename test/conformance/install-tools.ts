// Installs what conformance tests run, once, below node_modules. A failed install fails its tests.
import { type ExecFileOptions, execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";

const root = join(import.meta.dirname, "../..");
const cacheFolder = join(root, "node_modules", ".cache", "conformance");
/** Where Go's own installer puts it, if the PATH does not have it. */
const goFolder = "/usr/local/go/bin";
/** What a compiler, or a test runner, may print. */
const outputBytesMax = 64 * 1024 * 1024;

const clientsFolder = join(root, "test/http-clients");
/** Where the HTTP API's clients for Node are, and the suites that use them. */
export const nodeFolder = join(clientsFolder, "node");
/** Where Python's are. */
export const pythonFolder = join(clientsFolder, "python");
/** The interpreter that has them. */
export const python = join(pythonFolder, ".venv", "bin", "python");

/** A program and its arguments. */
export type Command = readonly [program: string, ...args: string[]];

/** Everything a finished program leaves. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, for a test that failed. */
  readonly output: string;
}

/** Runs a program to its end, whatever that is; rejects if it cannot be started or hangs. */
export function runProgram(
  [program, ...args]: Command,
  options: Pick<ExecFileOptions, "cwd" | "env" | "timeout"> = {},
): Promise<Finished> {
  const bounds = { cwd: root, timeout: 60_000, maxBuffer: outputBytesMax, ...options };
  return new Promise((resolve, reject) => {
    execFile(program, args, bounds, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      const output = `${stdout}${stderr}`;
      if (typeof code === "number") resolve({ code, stdout, stderr, output });
      else reject(new Error(`${program} did not end by itself: ${output}`, { cause: error }));
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
    await install(["buf", "generate", proto, ...only], { cwd: source, env: withGo() });
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
      await install(["python3", "-m", "venv", join(out, "venv")]);
      const venv = join(out, "venv/bin/python");
      const requirements = ["-r", join(source, "requirements.txt")];
      await install([venv, "-m", "pip", "install", "--quiet", ...requirements]);
      const outs = [`--python_out=${out}`, `--grpc_python_out=${out}`];
      const proto = "octet/inference/v1/inference.proto";
      const protoFolder = join(root, "proto");
      await install([venv, "-m", "grpc_tools.protoc", "-I", protoFolder, ...outs, proto]);
    },
  );
  // Python finds the stubs beside the script that it runs.
  const script = join(folder, "stream.py");
  await copyFile(join(source, "stream.py"), script);
  return { python: join(folder, "venv/bin/python"), script };
}

/** OpenAI's and Mistral's clients for Node. */
export async function installNodeClients(): Promise<void> {
  const lock = await readFile(join(nodeFolder, "package-lock.json"), "utf8");
  await fillOnce(join(nodeFolder, "node_modules"), lock, async () => {
    const command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"] as const;
    await install(command, { cwd: nodeFolder });
  });
}

/** OpenAI's client for Python, and schemathesis. */
export async function installPythonClients(): Promise<void> {
  const requirements = join(pythonFolder, "requirements.txt");
  const lock = await readFile(requirements, "utf8");
  await fillOnce(join(pythonFolder, ".venv"), lock, async (out) => {
    await install(["python3", "-m", "venv", out]);
    const flags = ["--quiet", "--no-deps", "--requirement", requirements];
    await install([python, "-m", "pip", "install", ...flags]);
  });
}

/** The Python that has lm-evaluation-harness. */
export async function installLmEval(): Promise<string> {
  const requirements = join(import.meta.dirname, "lm-eval/requirements.txt");
  const lock = await readFile(requirements, "utf8");
  const folder = await installOnce("lm-eval", lock, async (out) => {
    await install(["python3", "-m", "venv", join(out, "venv")]);
    const flags = ["--quiet", "--no-deps", "--requirement", requirements];
    await install([join(out, "venv/bin/python"), "-m", "pip", "install", ...flags]);
  });
  return join(folder, "venv/bin/python");
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

/** A folder of the cache for just these inputs. */
async function installOnce(
  name: string,
  inputs: string,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(cacheFolder, `${name}-${digestOf(inputs)}`);
  await fillOnce(folder, inputs, fill);
  return folder;
}

/**
 * Has `fill` fill a folder, unless it did for the same inputs before. That is written down when all
 * is done, so that an interrupted install is no install.
 */
async function fillOnce(
  folder: string,
  inputs: string,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const done = join(folder, ".octet-installed");
  const digest = digestOf(inputs);
  if (existsSync(done) && (await readFile(done, "utf8")) === digest) return;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await fill(folder);
  await writeFile(done, digest);
}

function digestOf(inputs: string): string {
  return createHash("sha256").update(inputs).digest("hex").slice(0, 16);
}

async function install(command: Command, options: ExecFileOptions = {}): Promise<void> {
  const { code, output } = await runProgram(command, { timeout: 0, ...options });
  if (code === 0) return;
  throw new Error(`${command.join(" ")} ended with ${code}; is it installed?\n${output}`);
}

function runGo(args: readonly string[], cwd: string, env: Record<string, string> = {}) {
  return install(["go", ...args], { cwd, env: { ...withGo(), ...env } });
}

function withGo(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH}${delimiter}${goFolder}` };
}

// The flags that choose what computes, alike in every command that starts services.
import { type Command, InvalidArgumentError } from "commander";

/** What can compute; the services' OCTET_ENGINE knows the same. */
export const engineKinds = ["cpu", "webgpu", "reference"] as const;

/** One of {@link engineKinds}. */
export type EngineKind = (typeof engineKinds)[number];

/** What commander hands over for {@link addGpuFlags}. */
export interface GpuFlags {
  readonly gpuAdapter?: string;
  readonly allowSoftwareGpu?: boolean;
}

/** Adds what an engine of kind "webgpu" may be told. */
export function addGpuFlags(command: Command): Command {
  return command
    .option("--gpu-adapter <name>", "part of the GPU's name, as octet doctor prints it")
    .option("--allow-software-gpu", "take a GPU that is a program on the CPU: for tests");
}

/** The flags as settings of a service. */
export function gpuSettings(flags: GpuFlags): Record<string, string> {
  return {
    ...(flags.gpuAdapter === undefined ? {} : { OCTET_GPU_ADAPTER: flags.gpuAdapter }),
    ...(flags.allowSoftwareGpu === true ? { OCTET_ALLOW_SOFTWARE_GPU: "true" } : {}),
  };
}

/** "cpu,webgpu", each a kind of engine. */
export function parseEngineKinds(text: string): readonly EngineKind[] {
  return text.split(",").map((name) => {
    const kind = engineKinds.find((each) => each === name.trim());
    if (kind !== undefined) return kind;
    throw new InvalidArgumentError(`expected ${engineKinds.join(" or ")}, found "${name}"`);
  });
}

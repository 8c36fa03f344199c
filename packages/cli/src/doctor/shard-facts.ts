// Whether a folder is a shard that a service here could open. Its SHA-256 is not computed.
import { openShard } from "@octet/checkpoint";

/** What a shard asks of the machine. */
export interface ShardFacts {
  readonly dir: string;
  /** Why it cannot be opened; then the rest is unknown. */
  readonly problem?: string;
  /** "expert 3 of octet-tiny" */
  readonly name?: string;
  readonly weightDtype?: string;
  readonly weightBytes?: number;
  /** The largest tensor, which a GPU binds as one buffer. */
  readonly largestTensorBytes?: number;
}

/** @param dir made by `octet shard`: the coordinator's or an expert's */
export async function readShardFacts(dir: string): Promise<ShardFacts> {
  try {
    const { manifest, weights } = await openShard(dir, { verify: false });
    const part = manifest.kind === "expert" ? `expert ${manifest.expertId}` : "coordinator";
    const tensorBytes = Array.from(weights.tensors.values(), (tensor) => tensor.lengthBytes);
    return {
      dir,
      name: `${part} of ${manifest.modelName}`,
      weightDtype: manifest.weightDtype,
      weightBytes: weights.sizeBytes,
      largestTensorBytes: Math.max(...tensorBytes),
    };
  } catch (error) {
    return { dir, problem: error instanceof Error ? error.message : String(error) };
  }
}

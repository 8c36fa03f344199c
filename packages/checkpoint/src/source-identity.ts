// Recognises a source again without reading all of it.
import { createHash } from "node:crypto";
import { z } from "zod";
import { readFully } from "./read-fully.ts";
import type { SourceCheckpoint, SourceLayout } from "./source-checkpoint.ts";
import type { SourceFile } from "./source-files.ts";

/** Where a shard's weights came from. */
export interface SourceIdentity {
  readonly format: "huggingface";
  readonly layout: SourceLayout;
  readonly files: readonly SourceFileIdentity[];
}

/** One weight file of a source. */
export interface SourceFileIdentity {
  readonly name: string;
  readonly sizeBytes: number;
  /**
   * SHA-256 over the header and three samples (first, middle, last) of every tensor. Another
   * training run, or a download that went on, changes it; it is no proof against an edit made to
   * escape it.
   */
  readonly fingerprint: string;
}

/** Parses a {@link SourceIdentity}. */
export const SourceIdentityJson = z.strictObject({
  format: z.literal("huggingface"),
  layout: z.enum(["original", "fused"]),
  files: z.array(
    z.strictObject({
      name: z.string(),
      sizeBytes: z.number().int().nonnegative(),
      fingerprint: z.string(),
    }),
  ),
});

const sampleBytes = 4096;

/** Reads about 12 KiB of each tensor. */
export async function identifySource(source: SourceCheckpoint): Promise<SourceIdentity> {
  const files: SourceFileIdentity[] = [];
  for (const file of source.files) {
    const fingerprint = await fingerprintOf(file);
    files.push({ name: file.name, sizeBytes: file.header.sizeBytes, fingerprint });
  }
  return { format: "huggingface", layout: source.layout, files };
}

async function fingerprintOf(file: SourceFile): Promise<string> {
  const hash = createHash("sha256").update(file.header.bytes);
  const sample = new Uint8Array(sampleBytes);
  for (const [tensor, { offsetBytes, lengthBytes }] of file.header.tensors) {
    const room = Math.max(0, lengthBytes - sampleBytes);
    for (const start of new Set([0, Math.floor(room / 2), room])) {
      const bytes = sample.subarray(0, Math.min(sampleBytes, lengthBytes));
      await readFully(file.handle, bytes, {
        offsetBytes: offsetBytes + start,
        file: file.path,
        tensor,
      });
      hash.update(bytes);
    }
  }
  return hash.digest("hex");
}

/** Why a checkpoint or a shard was refused, or could not be written. */
export type CheckpointErrorCode =
  /** The caller's AbortSignal fired. */
  | "aborted"
  /** A JSON file (config, index, manifest) does not say what it must. */
  | "bad-config"
  /** A weight file is truncated, or its header and its size disagree. */
  | "bad-file"
  /** A tensor has another dtype, shape or place than the model asks for. */
  | "bad-tensor"
  /** Bytes on disk are not those the manifest vouches for. */
  | "checksum-mismatch"
  | "disk-full"
  /** A tensor that no MixtralForCausalLM of this shape has. */
  | "foreign-tensor"
  /** Not a shard, or one whose writing never finished. */
  | "incomplete"
  /** The operating system failed a read or a write; see the cause. */
  | "io-failed"
  /** Another run is writing the same output folder. */
  | "locked"
  | "missing-file"
  | "missing-tensor"
  | "non-finite"
  /** The output folder holds something else: another source, another dtype, other files. */
  | "output-differs"
  /** The memory allowed is too small for this model. */
  | "too-large"
  /** The weight dtype cannot hold a matrix of this model. */
  | "unsupported-dtype"
  /** A model, or a feature of one, that this system does not run. */
  | "unsupported-model";

/** A checkpoint or shard that was refused; the message names file, tensor, expected and found. */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
  readonly code: CheckpointErrorCode;
  /** The file or folder at fault. */
  readonly file: string;
  readonly tensor: string | undefined;
  constructor(
    code: CheckpointErrorCode,
    at: { file: string; tensor?: string | undefined },
    why: { detail: string; cause?: unknown },
  ) {
    const tensor = at.tensor === undefined ? "" : `, tensor ${at.tensor}`;
    super(`[${code}] ${at.file}${tensor}: ${why.detail}`, { cause: why.cause });
    this.code = code;
    this.file = at.file;
    this.tensor = at.tensor;
  }
}

/** Throws "aborted" if the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined, file: string): void {
  if (signal?.aborted !== true) return;
  throw new CheckpointError("aborted", { file }, { detail: "stopped on request" });
}

/** Tells "disk-full" and "missing-file" from other failures of the operating system. */
export function fromSystemError(error: unknown, file: string): CheckpointError {
  if (error instanceof CheckpointError) return error;
  const errno = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  switch (errno) {
    case "ENOSPC":
    case "EDQUOT":
      return new CheckpointError(
        "disk-full",
        { file },
        {
          detail: "the disk is full; free some space and run the same command again",
          cause: error,
        },
      );
    case "ENOENT":
      return new CheckpointError(
        "missing-file",
        { file },
        { detail: "expected a file, found none", cause: error },
      );
    default:
      return new CheckpointError(
        "io-failed",
        { file },
        { detail: error instanceof Error ? error.message : String(error), cause: error },
      );
  }
}

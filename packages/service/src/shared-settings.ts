// Settings that every service of ours has, with the same meaning.
import { availableParallelism } from "node:os";
import { z } from "zod";
import { addressSetting, booleanSetting } from "./config.ts";

/** To be spread into a service's own settings. */
export const sharedSettings = {
  /** Folder of the service's shard, made by `octet shard`. */
  OCTET_SHARD_DIR: z.string(),
  OCTET_ENGINE: z.enum(["cpu", "webgpu", "reference"]).default("cpu"),
  /** Part of the name of the GPU to use, as `octet doctor` prints it. Default: the first. */
  OCTET_GPU_ADAPTER: z.string().min(1).optional(),
  /** Whether a GPU's subgroup matrices are used where tuning found them faster: an experiment. */
  OCTET_GPU_SUBGROUP_MATRICES: booleanSetting.default(false),
  /** Whether a GPU that is a program on the CPU will do: for tests. */
  OCTET_ALLOW_SOFTWARE_GPU: booleanSetting.default(false),
  /** Where `octet bench --tune` keeps what it found, for GPU engines to compute by. */
  OCTET_CACHE_DIR: z.string().min(1).optional(),
  /** The user's cache folder, which has one of Octet's where OCTET_CACHE_DIR is not set. */
  XDG_CACHE_HOME: z.string().min(1).optional(),
  /** Compute threads. Default: as many as the machine has cores. */
  OCTET_THREADS: z.coerce.number().int().min(1).max(1024).default(availableParallelism()),
  /** Whether to check the shard's SHA-256 before serving it. */
  OCTET_VERIFY: booleanSetting.default(true),
  /** Whether to listen beyond this machine without TLS: only on a network that is trusted. */
  OCTET_ALLOW_PLAINTEXT: booleanSetting.default(false),
  /** Where to serve /metrics. Default: nowhere. */
  OCTET_ADMIN_LISTEN: addressSetting.optional(),
  OCTET_LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
  /** Whether the end of standard input means that the parent is gone. */
  OCTET_ENDS_WITH_PARENT: booleanSetting.default(false),
};

// Every setting of an expert-worker, in one place.
import { availableParallelism } from "node:os";
import { addressSetting, booleanSetting } from "@octet/service";
import { z } from "zod";

/** What an expert-worker reads from its environment. */
export const expertWorkerSettings = z.strictObject({
  /** Folder of one expert's shard, made by `octet shard`. */
  OCTET_SHARD_DIR: z.string(),
  /** Where to listen; beyond loopback only with OCTET_ALLOW_PLAINTEXT. */
  OCTET_LISTEN: addressSetting.default("127.0.0.1:50051"),
  /** Name in logs and answers. Default: expert-N for expert N. */
  OCTET_WORKER_ID: z.string().min(1).max(64).optional(),
  OCTET_ENGINE: z.enum(["cpu", "reference"]).default("cpu"),
  /** Compute threads. Default: as many as the machine has cores. */
  OCTET_THREADS: z.coerce.number().int().min(1).max(1024).default(availableParallelism()),
  /** Whether to check the shard's SHA-256 before serving it. */
  OCTET_VERIFY: booleanSetting.default(true),
  /** Whether to listen beyond this machine without TLS: only on a network that is trusted. */
  OCTET_ALLOW_PLAINTEXT: booleanSetting.default(false),
  /** How long to go on answering after SIGTERM while calls still come, in ms. */
  OCTET_DRAIN_MS: z.coerce.number().int().min(0).max(600_000).default(2_000),
  OCTET_LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
  /** Whether the end of standard input means that the parent is gone. */
  OCTET_ENDS_WITH_PARENT: booleanSetting.default(false),
});

/** Parsed settings of an expert-worker. */
export type ExpertWorkerConfig = Readonly<z.infer<typeof expertWorkerSettings>>;

// Every setting of an expert-worker, in one place.
import { addressSetting, booleanSetting, sharedSettings } from "@octet/service";
import { z } from "zod";

/** What an expert-worker reads from its environment. */
export const expertWorkerSettings = z.strictObject({
  ...sharedSettings,
  /** Where to listen; beyond loopback only with OCTET_ALLOW_PLAINTEXT. */
  OCTET_LISTEN: addressSetting.default("127.0.0.1:50051"),
  /** Name in logs and answers. Default: expert-N for expert N. */
  OCTET_WORKER_ID: z.string().min(1).max(64).optional(),
  /** Whether small calls are answered in native code, where the engine can (cpu). */
  OCTET_FAST_PATH: booleanSetting.default(true),
  /** How long to go on answering after SIGTERM while calls still come, in ms. */
  OCTET_DRAIN_MS: z.coerce.number().int().min(0).max(600_000).default(2_000),
});

/** Parsed settings of an expert-worker. */
export type ExpertWorkerConfig = Readonly<z.infer<typeof expertWorkerSettings>>;

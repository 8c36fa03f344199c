// Every setting of a gateway, in one place.
import { addressSetting, booleanSetting, sharedSettings } from "@octet/service";
import { z } from "zod";

/** "a,b": parts that `part` accepts. */
function listSetting<Part extends z.ZodType<string, string>>(part: Part) {
  return z
    .string()
    .transform((text) => text.split(",").map((one) => one.trim()))
    .pipe(z.array(part).min(1));
}

const originSetting = z
  .string()
  .regex(/^(\*|https?:\/\/[^\s/]+)$/, "expected origins such as https://chat.example.org, or *");

/** What a gateway reads from its environment. */
export const gatewaySettings = z.strictObject({
  OCTET_ALLOW_PLAINTEXT: sharedSettings.OCTET_ALLOW_PLAINTEXT,
  OCTET_LOG_LEVEL: sharedSettings.OCTET_LOG_LEVEL,
  OCTET_ENDS_WITH_PARENT: sharedSettings.OCTET_ENDS_WITH_PARENT,
  /** Where to serve HTTP; beyond loopback only with OCTET_ALLOW_PLAINTEXT. */
  OCTET_LISTEN: addressSetting.default("127.0.0.1:8000"),
  /** Where to serve metrics, and nothing that a client of the model needs. */
  OCTET_ADMIN_LISTEN: addressSetting.default("127.0.0.1:8001"),
  /** Coordinators to ask, host:port joined by commas; those of one model share its requests. */
  OCTET_COORDINATORS: listSetting(addressSetting).default(["127.0.0.1:50050"]),
  /** Whether a parameter that is not known is refused; else it is named in `warnings`. */
  OCTET_STRICT: booleanSetting.default(false),
  /** Origins whose web pages may call, joined by commas; * is any. Default: none. */
  OCTET_CORS_ORIGINS: listSetting(originSetting).optional(),
  /** Largest request body, in bytes. A prompt's text may have 4 MiB; JSON may spell it longer. */
  OCTET_BODY_BYTES_MAX: z.coerce.number().int().min(1024).max(33_554_432).default(8_388_608),
  /** Answers that may be under way at once; beyond it requests are refused as "overloaded". */
  OCTET_ANSWERS_MAX: z.coerce.number().int().min(1).max(65_536).default(1024),
  /** Longest one answer may take, waiting included, in ms. */
  OCTET_ANSWER_TIMEOUT_MS: z.coerce.number().int().min(1000).max(86_400_000).default(3_600_000),
  /** A stream that has nothing to say says so this often, in ms, so that proxies keep it. */
  OCTET_PING_MS: z.coerce.number().int().min(100).max(600_000).default(15_000),
  /** Longest a client may leave a stream unread before it counts as gone, in ms. */
  OCTET_STALL_MS: z.coerce.number().int().min(100).max(3_600_000).default(60_000),
  /** "vllm" serves the metrics that vLLM's dashboards ask for too, under its names. */
  OCTET_METRICS_COMPAT: z.enum(["vllm", "none"]).default("vllm"),
  /** How long answers may go on after SIGTERM, in ms; then they are cancelled. */
  OCTET_DRAIN_MS: z.coerce.number().int().min(0).max(600_000).default(5_000),
});

/** Parsed settings of a gateway. */
export type GatewayConfig = Readonly<z.infer<typeof gatewaySettings>>;

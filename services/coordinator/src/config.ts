// Every setting of a coordinator, in one place.
import { addressSetting, sharedSettings } from "@octet/service";
import { z } from "zod";

/** "0=host:port,1=host:port": expert id to worker address; a worker may hold several experts. */
const placementSetting = z.string().transform((text, context) => {
  const placement = new Map<number, string>();
  for (const part of text.split(",")) {
    const match = /^\s*(\d+)=(\S+)\s*$/.exec(part);
    if (match === null || !addressSetting.safeParse(match[2]).success) {
      context.addIssue({
        code: "custom",
        message: `expected EXPERT=host:port pairs joined by commas, found "${part}"`,
      });
      return z.NEVER;
    }
    const expertId = Number(match[1]);
    if (placement.has(expertId)) {
      context.addIssue({ code: "custom", message: `expert ${expertId} is placed twice` });
      return z.NEVER;
    }
    placement.set(expertId, match[2]!);
  }
  return placement;
});

/** "cpu,webgpu": engine kinds. */
const engineKindsSetting = z
  .string()
  .transform((text) => text.split(",").map((kind) => kind.trim()))
  .pipe(z.array(sharedSettings.OCTET_ENGINE.unwrap()).min(1));

/** What a coordinator reads from its environment. */
export const coordinatorSettings = z.strictObject({
  ...sharedSettings,
  /** Where to listen; beyond loopback only with OCTET_ALLOW_PLAINTEXT. */
  OCTET_LISTEN: addressSetting.default("127.0.0.1:50050"),
  /** Where each expert is: 0=host:port,1=host:port,... */
  OCTET_EXPERTS: placementSetting,
  /**
   * Engine kinds that workers may have: cpu,webgpu. Default: the coordinator's own, since the same
   * bits are promised within a kind only.
   */
  OCTET_WORKER_ENGINES: engineKindsSetting.optional(),
  /**
   * Tokens of KV cache to allocate, shared by all sequences; rounded up to whole blocks. No sequence
   * may be longer. The default is Mixtral's whole context, of 131 kB a token.
   */
  OCTET_KV_TOKENS: z.coerce.number().int().min(16).max(16_777_216).default(32_768),
  /** Most tokens in one step: a prompt longer than this is prefilled in chunks. */
  OCTET_STEP_TOKENS_MAX: z.coerce.number().int().min(1).max(1024).default(512),
  /**
   * "on": steps of eight sequences or more are computed in two halves, one attending while the
   * other's experts compute. "auto": where that is measured to be quicker. "off": never.
   */
  OCTET_MICRO_BATCHES: z.enum(["auto", "on", "off"]).default("auto"),
  /**
   * "auto": next tokens are guessed from what a sequence said before, and several checked in one
   * step, where that was measured to be quicker. No token changes by it. "off": never.
   */
  OCTET_SPECULATION: z.enum(["auto", "off"]).default("auto"),
  /** Longest one expert call may take, whatever it asks, before its sequences fail, in ms. */
  OCTET_EXPERT_DEADLINE_MS: z.coerce.number().int().min(10).max(600_000).default(10_000),
  /** Besides, for each row of the call, in ms: long prefills on slow machines. */
  OCTET_EXPERT_ROW_MS: z.coerce.number().int().min(1).max(10_000).default(100),
  /** Requests that may wait for KV blocks; beyond it they are refused. */
  OCTET_QUEUE_MAX: z.coerce.number().int().min(1).max(65_536).default(256),
  /** How long running requests may go on after SIGTERM, in ms; then they are cancelled. */
  OCTET_DRAIN_MS: z.coerce.number().int().min(0).max(600_000).default(5_000),
});

/** Parsed settings of a coordinator. */
export type CoordinatorConfig = Readonly<z.infer<typeof coordinatorSettings>>;

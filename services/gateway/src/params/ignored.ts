// Parameters of other servers that change nothing here.
import { z } from "zod";
import type { Warning } from "./read-body.ts";

const anything = z.unknown().optional();

/** About the client rather than the answer: taken without a word. */
export const silentShape = {
  metadata: anything,
  store: z.boolean().optional(),
  service_tier: z.string().max(64).optional(),
  prompt_cache_key: anything,
  request_id: z.string().max(256).optional(),
} as const;

/** Would change the answer elsewhere: taken, with a warning. */
export const ignoredShape = {
  prediction: anything,
  prompt_mode: anything,
  guardrails: anything,
  reasoning_effort: anything,
  safe_prompt: z.boolean().optional(),
  verbosity: anything,
  modalities: anything,
} as const;

/** A warning for each that is given and not the same as nothing. */
export function warnOfIgnored(values: Readonly<Record<string, unknown>>): Warning[] {
  return Object.keys(ignoredShape)
    .filter((param) => values[param] !== undefined && values[param] !== false)
    .map((param) => ({
      code: "ignored_parameter",
      param,
      message: `${param}: accepted for other servers' clients; it was not acted on`,
    }));
}

// Settings come from the environment, parsed once, in a service's main.ts.
import { splitAddress } from "@octet/protocol";
import { z } from "zod";

/** The environment as Node gives it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Settings that do not parse; the message lists every problem by its variable's name. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "bad-settings";
}

/**
 * Parses the variables that `schema` names. Others that start with OCTET_ are refused: a misspelt
 * setting must not be ignored in silence.
 *
 * @throws {ConfigError} listing every problem at once
 */
export function parseEnvironment<Schema extends z.ZodObject>(
  schema: Schema,
  environment: Environment,
): Readonly<z.infer<Schema>> {
  const known = Object.keys(schema.shape);
  const given: Record<string, string> = {};
  const problems: string[] = [];
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith("OCTET_") || value === undefined || value === "") continue;
    if (known.includes(name)) given[name] = value;
    else if (!ambientVariables.has(name)) {
      problems.push(`${name}: not a setting of this service; it knows ${known.join(", ")}`);
    }
  }
  const parsed = schema.safeParse(given);
  if (parsed.success && problems.length === 0) return Object.freeze(parsed.data);
  for (const issue of parsed.error?.issues ?? []) {
    const name = issue.path.join(".") || "settings";
    const found = given[name] === undefined ? "not set" : `found ${JSON.stringify(given[name])}`;
    problems.push(`${name}: ${issue.message} (${found})`);
  }
  throw new ConfigError(`settings refused:\n${problems.map((p) => `  ${p}`).join("\n")}`);
}

/** Set by our own tools around every process; no setting of any service. */
const ambientVariables = new Set(["OCTET_INVOKED_FROM"]);

/** "true" or "false". */
export const booleanSetting = z.enum(["true", "false"]).transform((text) => text === "true");

/** "host:port"; the port may be 0 where a service listens. */
export const addressSetting = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:[\]]+):\d{1,5}$/, "expected host:port, such as 127.0.0.1:50051");

/** Whether only this machine can reach `address`. */
export function isLoopback(address: string): boolean {
  const { host } = splitAddress(address);
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

// One parameter under the names that different APIs give it.
import { ApiError } from "../http/api-error.ts";

/**
 * The value of whichever name is given.
 *
 * @param byName canonical name first
 * @throws {ApiError} "invalid_parameter" if two are given that do not agree
 */
export function pickAlias<Value>(byName: Readonly<Record<string, Value | undefined>>) {
  let chosen: { name: string; value: Value } | undefined;
  for (const [name, value] of Object.entries(byName)) {
    if (value === undefined) continue;
    if (chosen !== undefined && JSON.stringify(chosen.value) !== JSON.stringify(value)) {
      const message = `${name}: expected what ${chosen.name} says, found a different value`;
      throw new ApiError("invalid_parameter", `${message}; they are one parameter`, {
        param: name,
      });
    }
    chosen ??= { name, value };
  }
  return chosen?.value;
}

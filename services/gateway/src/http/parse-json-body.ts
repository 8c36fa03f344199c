// A request's body, from bytes to a JSON value; whatever is wrong with it is the client's to know.
import { ApiError } from "./api-error.ts";
import { jsonNestingMax, nestsDeeperThan } from "./json-nesting.ts";

/** @throws {ApiError} "invalid_json", never with a piece of the body: that may be a prompt */
export function parseJsonBody(bytes: Buffer): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ApiError("invalid_json", "body: expected UTF-8, found other bytes", { cause });
  }
  if (text.trim() === "") {
    throw new ApiError("invalid_json", "body: expected a JSON object, found nothing");
  }
  if (nestsDeeperThan(text, jsonNestingMax)) {
    const message = `body: expected JSON nested at most ${jsonNestingMax} deep, found deeper`;
    throw new ApiError("invalid_json", message);
  }
  try {
    return JSON.parse(text, withoutPrototypeKeys);
  } catch (error) {
    const at = error instanceof SyntaxError ? /at position (\d+)/.exec(error.message) : null;
    const where = at === null ? "" : ` at character ${at[1]}`;
    throw new ApiError("invalid_json", `body: expected JSON, found a syntax error${where}`);
  }
}

/** A key that would set an object's prototype wherever the object is copied names nothing here. */
function withoutPrototypeKeys(key: string, value: unknown): unknown {
  return key === "__proto__" ? undefined : value;
}

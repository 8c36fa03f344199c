// How a call ended, as gRPC writes it into the last headers of a stream.
import type { StatusError } from "../status.ts";
import { isStatusCode, statusCode } from "../status-code.ts";
import type { Headers } from "./header-block.ts";

/** The header fields that say `how`. */
export function toTrailers({ code, details }: StatusError): [string, string][] {
  const fields: [string, string][] = [["grpc-status", String(code)]];
  if (details !== "") fields.push(["grpc-message", encodeURIComponent(details)]);
  return fields;
}

/** What the fields say; where they say nothing, that. */
export function fromTrailers(headers: Headers): StatusError {
  const code = Number(headers.get("grpc-status") ?? Number.NaN);
  const details = decodeMessage(headers.get("grpc-message") ?? "");
  if (isStatusCode(code)) return { code, details };
  const found = headers.get("grpc-status") ?? "none";
  return { code: statusCode.UNKNOWN, details: `expected a gRPC status, found ${found}` };
}

function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // gRPC: what does not decode is shown as it is
  }
}

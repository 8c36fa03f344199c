// Failures as grpc-js sends and receives them.
import { Metadata, type ServiceError } from "@grpc/grpc-js";
import { type Failure, fromStatus, statusDetailsKey, toStatus } from "./failure.ts";
import { isStatusCode } from "./status-code.ts";

/** What a handler ends its call with, so that {@link fromServiceError} reads it at the other end. */
export function toServiceError(
  failure: Failure,
): Pick<ServiceError, "code" | "details" | "metadata"> {
  const { code, details, detailsBin } = toStatus(failure);
  const metadata = new Metadata();
  if (detailsBin !== undefined) metadata.set(statusDetailsKey, Buffer.from(detailsBin));
  return { code, details, metadata };
}

/** Why a call failed; undefined for an error that is no call's status. */
export function fromServiceError(error: unknown): Failure | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("details" in error)) return undefined;
  const { code, details, metadata } = error as Partial<ServiceError> & Error;
  if (typeof code !== "number" || !isStatusCode(code) || typeof details !== "string") {
    return undefined;
  }
  const found = metadata?.get(statusDetailsKey)[0];
  return fromStatus({ code, details, detailsBin: Buffer.isBuffer(found) ? found : undefined });
}

import { ConfigError, isLoopback } from "./config.ts";

/**
 * Refuses an address that other machines can reach, unless plaintext was allowed.
 *
 * @param setting the variable that named `address`, for the message
 * @throws {ConfigError} saying what to set instead
 */
export function requireListenAddress(
  setting: string,
  address: string,
  allowPlaintext: boolean,
): void {
  if (isLoopback(address) || allowPlaintext) return;
  throw new ConfigError(
    `${setting}=${address} can be reached from other machines, and connections are not ` +
      "encrypted. Listen on 127.0.0.1, or set OCTET_ALLOW_PLAINTEXT=true on a trusted network",
  );
}

/** Why `address` could not be listened on. */
export function listenFailure(address: string, cause: Error): ConfigError {
  const detail = `cannot listen on ${address}: ${cause.message}`;
  return new ConfigError(`${detail}. Is another process using the port?`, { cause });
}

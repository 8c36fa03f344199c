import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** The environment, or a service's settings. */
export interface CacheVariables {
  readonly OCTET_CACHE_DIR?: string | undefined;
  readonly XDG_CACHE_HOME?: string | undefined;
}

/**
 * Where Octet keeps what it can find out again: OCTET_CACHE_DIR, or a folder of its own in the
 * cache folder of the XDG base directories.
 */
export function cacheFolder(env: CacheVariables): string {
  const own = env.OCTET_CACHE_DIR ?? "";
  if (own !== "") return own;
  const shared = env.XDG_CACHE_HOME ?? "";
  // A relative path there is to be ignored, as the specification says.
  return join(isAbsolute(shared) ? shared : join(homedir(), ".cache"), "octet");
}

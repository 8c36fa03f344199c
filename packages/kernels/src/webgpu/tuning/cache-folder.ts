import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * Where Octet keeps what it can find out again: OCTET_CACHE_DIR, or a folder of its own in the
 * cache folder of the XDG base directories.
 */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const own = env.OCTET_CACHE_DIR ?? "";
  if (own !== "") return own;
  const shared = env.XDG_CACHE_HOME ?? "";
  // A relative path there is to be ignored, as the specification says.
  return join(isAbsolute(shared) ? shared : join(homedir(), ".cache"), "octet");
}

/** Below this, what the collector frees in its own time costs less than freeing it. */
export const freedBytesMin = 4 * 1024;

/**
 * Gives the memory that `bytes` lie in back at once; they are empty afterwards. Left to the
 * collector, a few megabytes make it run over the whole heap, and every new buffer is a cold one.
 *
 * @param bytes of `Buffer.allocUnsafeSlow` or read from a socket; nobody else may use them or what
 *   lies in the same buffer, least of all a write or a computation that is still under way
 */
export function freeMemory(bytes: Uint8Array): void {
  if (bytes.byteLength < freedBytesMin || !(bytes.buffer instanceof ArrayBuffer)) return;
  bytes.buffer.transfer(0);
}

/** Copies of `bytes` between the places `cuts`, in any order and as often as they stand there. */
export function cutAt(bytes: Uint8Array, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.filter((cut) => cut <= bytes.length), bytes.length];
  places.sort((a, b) => a - b);
  return places.slice(1).map((to, i) => Buffer.from(bytes.subarray(places[i]!, to)));
}

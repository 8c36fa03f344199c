// Ids of calls: nine of [a-zA-Z0-9], as Mistral's clients demand, and no hidden randomness.
import { createHash } from "node:crypto";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const idLength = 9;

/** The same for the same scope and place: the scope is the request's seed and the answer's index. */
export function toolCallId(scope: string, place: number): string {
  const digest = createHash("sha256").update(`${scope}/${place}`).digest();
  let number = digest.readBigUInt64BE();
  let id = "";
  for (let i = 0; i < idLength; i++) {
    id += alphabet[Number(number % 62n)];
    number /= 62n;
  }
  return id;
}

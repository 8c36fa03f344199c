// Engine kinds as the command line names them.
import { InvalidArgumentError } from "commander";

/** What can compute; the services' OCTET_ENGINE knows the same. */
export const engineKinds = ["cpu", "reference"] as const;

/** One of {@link engineKinds}. */
export type EngineKind = (typeof engineKinds)[number];

/** "cpu,reference", each a kind of engine. */
export function parseEngineKinds(text: string): readonly EngineKind[] {
  return text.split(",").map((name) => {
    const kind = engineKinds.find((each) => each === name.trim());
    if (kind !== undefined) return kind;
    throw new InvalidArgumentError(`expected ${engineKinds.join(" or ")}, found "${name}"`);
  });
}

// Experts so small that thousands of calls cost nothing, and rows to send them.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ActivationRows,
  activationRowBytes,
  dispatchDtype,
  toExpertId,
  type WeightDtype,
} from "@octet/core";
import { type ExpertEngine, openCpuExpertEngine } from "@octet/kernels";
import { tinyModel, writeSyntheticModel } from "@octet/kernels/conformance";

/** What they are experts of; a width of two blocks, so that q8 rows have two scales. */
export const tinyExpertModel = tinyModel({ intermediateSize: 32, numExperts: 4 });

/** Those that the engines hold. */
export const heldExperts = [1, 2].map((id) => toExpertId(id, tinyExpertModel.numExperts));

/** Opens CPU engines of the same experts. */
export interface TinyExperts extends AsyncDisposable {
  readonly weightDtype: WeightDtype;
  /** An engine on one thread, closed with the rest. */
  open(): Promise<ExpertEngine>;
}

/** Writes the experts to a temporary file. */
export async function writeTinyExperts(weightDtype: WeightDtype): Promise<TinyExperts> {
  await using owned = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "octet-test-"));
  owned.defer(() => rm(folder, { recursive: true, force: true }));
  const weights = await writeSyntheticModel({
    path: join(folder, "weights"),
    model: tinyExpertModel,
    weightDtype,
    seed: 5,
    parts: "experts",
  });
  const kept = owned.move();
  return {
    weightDtype,
    open: async () => {
      const engine = await openCpuExpertEngine({
        model: tinyExpertModel,
        weightDtype,
        weights: [weights],
        expertIds: heldExperts,
        threads: 1,
      });
      kept.defer(() => engine.close());
      return engine;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Rows that every engine of `weightDtype` takes; their values are up to `random`. */
export function randomRows(
  random: () => number,
  weightDtype: WeightDtype,
  rows: number,
): ActivationRows {
  const dtype = dispatchDtype(weightDtype);
  const width = tinyExpertModel.hiddenSize;
  const rowBytes = activationRowBytes(dtype, width);
  const data = Buffer.alloc(rows * rowBytes);
  for (let row = 0; row < rows; row++) {
    const at = row * rowBytes;
    for (let i = 0; i < width; i++) {
      const value = 2 * random() - 1;
      if (dtype === "f32") data.writeFloatLE(value, at + 4 * i);
      else if (dtype === "bf16") data.writeUInt16LE(highBitsOf(value), at + 2 * i);
      else data.writeInt8(Math.round(127 * value), at + i);
    }
    if (dtype !== "q8") continue;
    for (let scaleAt = at + width; scaleAt < at + rowBytes; scaleAt += 4) {
      data.writeFloatLE(random() / 127, scaleAt);
    }
  }
  return { dtype, rows, width, data };
}

/** The same rows with one number in them that is `value`. */
export function withNumber(input: ActivationRows, value: number): ActivationRows {
  const data = Buffer.from(input.data);
  if (input.dtype === "f32") data.writeFloatLE(value, 4 * 5);
  else if (input.dtype === "bf16") data.writeUInt16LE(highBitsOf(value), 2 * 5);
  else data.writeFloatLE(value, input.width); // a scale
  return { ...input, data };
}

/** bf16, cut off. */
function highBitsOf(value: number): number {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatBE(value);
  return bytes.readUInt16BE(0);
}

// What storing matrices in a weight dtype loses of their values.
import { readFileSync } from "node:fs";
import { openShard, readShardSet } from "@octet/checkpoint";
import { replyDtype, type WeightDtype, type WeightFile } from "@octet/core";
import { type MatrixForm, openMatrix } from "@octet/kernels";
import { relativeL2 } from "../golden/explain-differences.ts";
import type { SourceTensor } from "./source-tensors.ts";

/** One matrix's loss. */
export interface TensorError {
  readonly name: string;
  /** "embedding", "attention", "w1", "w2", "w3" or "LM head". */
  readonly kind: string;
  /** ‖stored − source‖ ÷ ‖source‖ */
  readonly relativeL2: number;
}

/** Holds every matrix of a set of shards against the source they were made from. */
export async function tensorErrors(
  shardDir: string,
  source: ReadonlyMap<string, SourceTensor>,
): Promise<TensorError[]> {
  const set = await readShardSet(shardDir);
  const errors: TensorError[] = [];
  for (const { dir } of [set.coordinator, ...set.experts]) {
    const { weights } = await openShard(dir, { verify: true });
    const file = readFileSync(weights.path);
    for (const name of weights.tensors.keys()) {
      const kind = kindOf(name);
      if (kind === undefined) continue;
      const { shape, values } = source.get(name)!;
      const dtype = storedAs(kind, set.weightDtype);
      const form = { dtype, shape: [shape[0]!, shape[1]!] as const };
      const stored = readMatrix(tensorBytes(file, weights, name), name, form);
      errors.push({ name, kind, relativeL2: relativeL2(stored, values) });
    }
  }
  return errors;
}

/** Undefined for what is stored in f32 whatever the dtype, and for scales. */
function kindOf(name: string): string | undefined {
  if (name === "model.embed_tokens.weight") return "embedding";
  if (name === "lm_head.weight") return "LM head";
  if (/\.self_attn\.[qkvo]_proj\.weight$/.test(name)) return "attention";
  return /\.experts\.\d+\.(w[123])\.weight$/.exec(name)?.[1];
}

function storedAs(kind: string, dtype: WeightDtype): WeightDtype {
  return kind === "embedding" ? replyDtype(dtype) : dtype;
}

/** The bytes of a matrix and, if it has them, its scales. */
function tensorBytes(
  file: Buffer,
  { tensors }: WeightFile,
  name: string,
): Map<string, Uint8Array<ArrayBuffer>> {
  const names = [name, `${name}.scales`].filter((each) => tensors.has(each));
  return new Map(
    names.map((each) => {
      const { offsetBytes, lengthBytes } = tensors.get(each)!;
      return [each, new Uint8Array(file.subarray(offsetBytes, offsetBytes + lengthBytes))];
    }),
  );
}

function readMatrix(
  tensors: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  name: string,
  form: MatrixForm,
): Float32Array {
  const matrix = openMatrix(tensors, name, form);
  const [rows, columns] = form.shape;
  const values = new Float32Array(rows * columns);
  const row = new Float64Array(columns);
  for (let index = 0; index < rows; index++) {
    matrix.row(index, row);
    values.set(row, index * columns);
  }
  return values;
}

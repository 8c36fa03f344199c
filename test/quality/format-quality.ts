// One weight dtype's quality: what it loses of a model's values, and of its predictions.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shardCheckpoint } from "@octet/checkpoint";
import type { WeightDtype } from "@octet/core";
import { type TestedKind, withShards } from "../golden/one-process-model.ts";
import type { HeldOutText } from "./held-out-text.ts";
import { perplexity } from "./perplexity.ts";
import { readSourceTensors } from "./source-tensors.ts";
import { type TensorError, tensorErrors } from "./tensor-errors.ts";

/** What to measure, and how. */
export interface QualityOptions {
  /** A Hugging Face directory with one file of weights. */
  readonly sourceDir: string;
  readonly weightDtype: WeightDtype;
  readonly kind: TestedKind;
  /** What the model is to predict; without any there is no perplexity. */
  readonly texts: readonly HeldOutText[];
}

/** What was found. */
export interface FormatQuality {
  readonly weightDtype: WeightDtype;
  /** Of every matrix. */
  readonly errors: readonly TensorError[];
  readonly perplexity: number | undefined;
}

/** Shards the model to a temporary folder, and measures it there. */
export async function measureFormat(options: QualityOptions): Promise<FormatQuality> {
  const { sourceDir, weightDtype, kind, texts } = options;
  const outDir = await mkdtemp(join(tmpdir(), "octet-quality-"));
  try {
    await shardCheckpoint({ sourceDir, outDir, weightDtype });
    const errors = await tensorErrors(outDir, readSourceTensors(sourceDir));
    const found =
      texts.length === 0
        ? undefined
        : await withShards(outDir, kind, (model) => perplexity(model, texts));
    return { weightDtype, errors, perplexity: found };
  } finally {
    await rm(outDir, { recursive: true });
  }
}

/** Mean and largest error of one kind of matrix. */
export function summarise(
  errors: readonly TensorError[],
  kind: string,
): { readonly mean: number; readonly worst: number } {
  const some = errors.filter((error) => error.kind === kind).map((error) => error.relativeL2);
  const mean = some.reduce((sum, error) => sum + error, 0) / some.length;
  return { mean, worst: Math.max(...some) };
}

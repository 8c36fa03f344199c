// Prints what each weight dtype loses: of the bundled model's matrices, of normal ones as wide as
// Mixtral's, and of the perplexity of text that the bundled model was not trained on.
// Usage: npm run quality [-- --engine cpu|reference --heldout FILE --documents N --tensors]
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { weightDtypes } from "@octet/core";
import { openTokenizer } from "@octet/tokenizer";
import { engineKinds } from "../golden/one-process-model.ts";
import { type FormatQuality, measureFormat, summarise } from "./format-quality.ts";
import { type HeldOutText, heldOutFile, readHeldOutTexts } from "./held-out-text.ts";
import { writeNormalCheckpoint } from "./normal-checkpoint.ts";

const { values: flags } = parseArgs({
  options: {
    engine: { type: "string", default: "cpu" },
    heldout: { type: "string", default: heldOutFile },
    documents: { type: "string", default: "1000000" },
    tensors: { type: "boolean", default: false },
  },
});
const kind = engineKinds.find((each) => each === flags.engine);
assert(kind !== undefined, `--engine: expected ${engineKinds.join(" or ")}, found ${flags.engine}`);

const bundled = fileURLToPath(new URL("../../models/octet-tiny", import.meta.url));
const texts = readHeldOutTexts(flags.heldout, await openTokenizer(bundled)).slice(
  0,
  Number(flags.documents),
);
const predicted = texts.flatMap(({ isPredicted }) => isPredicted).filter(Boolean).length;

print(`octet-tiny, ${kind} engine, ${texts.length} documents, ${predicted} tokens predicted`);
await measure(bundled, texts, ["embedding", "attention", "w1", "w2", "w3", "LM head"]);

const folder = await mkdtemp(join(tmpdir(), "octet-normal-"));
try {
  writeNormalCheckpoint(folder);
  print("\nnormal weights, rows of 4,096 (w1, w3) and 512 (w2)");
  await measure(folder, [], ["w1", "w2", "w3"]);
} finally {
  await rm(folder, { recursive: true });
}

async function measure(
  sourceDir: string,
  texts: readonly HeldOutText[],
  kinds: readonly string[],
): Promise<void> {
  const all: FormatQuality[] = [];
  for (const weightDtype of weightDtypes) {
    all.push(await measureFormat({ sourceDir, weightDtype, kind: kind!, texts }));
  }
  print("relative L2 error to the source, mean and worst tensor");
  const columns = ["weights", ...kinds, ...(texts.length > 0 ? ["perplexity", "to f32"] : [])];
  print(row(columns));
  print(row(columns.map(() => "---")));
  const base = all[0]!.perplexity;
  for (const { weightDtype, errors, perplexity } of all) {
    const cells = kinds.map((each) => {
      const { mean, worst } = summarise(errors, each);
      return `${percent(mean)}, ${percent(worst)}`;
    });
    const loss =
      perplexity === undefined ? [] : [perplexity.toFixed(4), percent(perplexity / base! - 1)];
    print(row([weightDtype, ...cells, ...loss]));
  }
  if (!flags.tensors) return;
  for (const { weightDtype, errors } of all) {
    for (const { name, relativeL2 } of errors) print(`${weightDtype} ${name} ${relativeL2}`);
  }
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(3)} %`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

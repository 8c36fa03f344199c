// The models that are measured: made once, of two layers of Mixtral 8x7B's width, and kept.
import { createHash } from "node:crypto";
import { mkdir, readdir, rm, stat, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readShardSet, shardFormatVersion } from "@octet/checkpoint";
import { toExpertId } from "@octet/core";
import {
  computeModelDigest,
  manifestFileName,
  manifestToJson,
  type ShardManifest,
} from "../../../packages/checkpoint/src/shard-manifest.ts";
import { ggufBytes, writeGguf } from "../gguf/write-gguf.ts";
import { writeBenchTokenizer } from "./bench-tokenizer.ts";
import { mixtralWidth } from "./mixtral-width.ts";
import {
  noSource,
  type RandomModel,
  shardSetBytes,
  writeRandomShard,
  writeRandomShardSet,
} from "./write-random-shards.ts";

/** Weight dtypes that are compared with llama.cpp. */
export type BenchDtype = "q4" | "q8";

/** Raised whenever the same name and shape would be given other weights or another file. */
const recipe = 1;
const numLayers = 2;
/** As many layers as make an expert's shard of q4 about 1 GB. */
const workerLayers = 10;

/** The same weights for both sides. */
export interface ModelPair {
  readonly shardsDir: string;
  /** Weights of the experts' shards. */
  readonly expertFiles: readonly string[];
  readonly ggufPath: string;
}

/** Makes models on demand; what an older version of this file made is removed. */
export class BenchModels {
  readonly #folder: string;
  readonly #say: (text: string) => void;

  /** @param folder holds nothing else */
  constructor(folder: string, say: (text: string) => void) {
    this.#folder = folder;
    this.#say = say;
  }

  /** Two layers, as shards and as GGUF. */
  async pair(weightDtype: BenchDtype): Promise<ModelPair> {
    const model = mixtralWidth(numLayers);
    const random = { name: `mixtral-width-${weightDtype}`, model, weightDtype };
    const shardsDir = this.#pathOf(random);
    const ggufPath = `${shardsDir}.gguf`;
    await this.#removeOld();
    if (!(await exists(join(shardsDir, "octet.json")))) {
      await this.#refuseFullDisk(shardSetBytes(random));
      this.#say(`making ${random.name}: random weights, once`);
      const tokenizerDir = join(this.#folder, "tokenizer");
      await writeBenchTokenizer(tokenizerDir, model.vocabSize);
      await writeRandomShardSet(random, { outDir: shardsDir, tokenizerDir }, this.#say);
    }
    const index = await readShardSet(shardsDir);
    if (!(await exists(ggufPath))) {
      await this.#refuseFullDisk(ggufBytes(index));
      this.#say(`making ${random.name}.gguf: the same weights for llama.cpp, once`);
      await writeGguf(shardsDir, ggufPath, this.#say);
    }
    const expertFiles = index.experts.map((shard) => join(shard.dir, "weights.safetensors"));
    return { shardsDir, expertFiles, ggufPath };
  }

  /** One expert's shard of about 1 GB, in q4. */
  async workerShard(): Promise<string> {
    const model = { ...mixtralWidth(workerLayers), numExperts: 1, numExpertsPerToken: 1 };
    const random = { name: "mixtral-width-worker", model, weightDtype: "q4" } as const;
    const dir = this.#pathOf(random);
    await this.#removeOld();
    if (await exists(join(dir, manifestFileName))) return dir;
    await this.#refuseFullDisk(1.1e9);
    this.#say(`making ${random.name}: an expert's shard of about 1 GB, once`);
    const expertId = toExpertId(0, model.numExperts);
    const weights = await writeRandomShard(random, { kind: "expert", expertId }, dir);
    const manifest: ShardManifest = {
      formatVersion: shardFormatVersion,
      kind: "expert",
      expertId,
      modelName: random.name,
      modelDigest: computeModelDigest(model, "q4", [weights.sha256]),
      model,
      weightDtype: "q4",
      source: noSource,
      weights,
    };
    await writeFile(join(dir, manifestFileName), manifestToJson(manifest));
    return dir;
  }

  #pathOf({ name, model, weightDtype }: RandomModel): string {
    const facts = JSON.stringify([recipe, shardFormatVersion, model, weightDtype]);
    const digest = createHash("sha256").update(facts).digest("hex").slice(0, 12);
    return join(this.#folder, `${currentPrefix}${name}-${digest}`);
  }

  /** What another recipe or shard format left. */
  async #removeOld(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    for (const entry of await readdir(this.#folder)) {
      if (entry.startsWith(currentPrefix) || entry === "tokenizer") continue;
      this.#say(`removing ${entry}, which this version does not use`);
      await rm(join(this.#folder, entry), { recursive: true });
    }
  }

  async #refuseFullDisk(neededBytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#folder);
    const freeBytes = bavail * bsize;
    if (freeBytes > neededBytes) return;
    throw new Error(
      `${this.#folder}: expected ${gigabytes(neededBytes)} free for a model, ` +
        `found ${gigabytes(freeBytes)}`,
    );
  }
}

const currentPrefix = `${recipe}-${shardFormatVersion}-`;

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

// The reference against a forward pass written from the formulas alone: f64, no cache, no batches.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toExpertId } from "@octet/core";
import { expect, test } from "vitest";
import { relativeL2 } from "../conformance/compare.ts";
import { part, planSequences } from "../conformance/planned-sequence.ts";
import { expertAnswers, runStep } from "../conformance/run-step.ts";
import { writeSyntheticModel } from "../conformance/synthetic-model.ts";
import { tinyModel } from "../conformance/tiny-model.ts";
import { openReferenceAttentionEngine } from "./reference-attention-engine.ts";
import { openReferenceExpertEngine } from "./reference-expert-engine.ts";

type Vector = number[];

const model = tinyModel({ hiddenSize: 32, headDim: 12, intermediateSize: 40, slidingWindow: 6 });
const { hiddenSize: H, headDim, numAttentionHeads, numKeyValueHeads } = model;

class PlainModel {
  readonly weights = new Map<string, Float32Array>();

  logits(tokenIds: Int32Array): Vector[] {
    let x = Array.from(tokenIds, (id) => this.#row("model.embed_tokens.weight", id));
    for (let layer = 0; layer < model.numLayers; layer++) {
      const prefix = `model.layers.${layer}`;
      const attended = this.#attention(
        x.map((row) => this.#norm(row, `${prefix}.input_layernorm`)),
        prefix,
      );
      x = x.map((row, i) => add(row, attended[i]!));
      x = x.map((row) => {
        const normed = this.#norm(row, `${prefix}.post_attention_layernorm`);
        return add(row, this.#experts(normed, `${prefix}.block_sparse_moe`));
      });
    }
    return x.map((row) => this.#times("lm_head", this.#norm(row, "model.norm")));
  }

  #attention(x: Vector[], prefix: string): Vector[] {
    const heads = (name: string, row: Vector, position: number) => {
      const all = this.#times(`${prefix}.self_attn.${name}`, row);
      const split = Array.from({ length: all.length / headDim }, (_, h) =>
        all.slice(h * headDim, (h + 1) * headDim),
      );
      return name === "v_proj" ? split : split.map((head) => turn(head, position));
    };
    const q = x.map((row, i) => heads("q_proj", row, i));
    const k = x.map((row, i) => heads("k_proj", row, i));
    const v = x.map((row, i) => heads("v_proj", row, i));
    const group = numAttentionHeads / numKeyValueHeads;
    return q.map((query, i) => {
      const out = query.flatMap((head, h) => {
        const seen = x.map((_, j) => j).filter((j) => j <= i && i - j < model.slidingWindow!);
        const kv = Math.floor(h / group);
        const p = softmax(seen.map((j) => dot(head, k[j]![kv]!) / Math.sqrt(headDim)));
        return head.map((_, d) => seen.reduce((sum, j, n) => sum + p[n]! * v[j]![kv]![d]!, 0));
      });
      return this.#times(`${prefix}.self_attn.o_proj`, out);
    });
  }

  #experts(x: Vector, prefix: string): Vector {
    const all = softmax(this.#times(`${prefix}.gate`, x)).map((p, id) => ({ p, id }));
    const top = all.toSorted((a, b) => b.p - a.p).slice(0, model.numExpertsPerToken);
    const total = top.reduce((sum, { p }) => sum + p, 0);
    return top.reduce<Vector>((sum, { p, id }) => {
      const w = (name: string, row: Vector) => this.#times(`${prefix}.experts.${id}.${name}`, row);
      const linear = w("w3", x);
      const hidden = w("w1", x).map((g, i) => (g / (1 + Math.exp(-g))) * linear[i]!);
      return add(
        sum,
        w("w2", hidden).map((y) => (y * p) / total),
      );
    }, new Array<number>(H).fill(0));
  }

  #norm(x: Vector, name: string): Vector {
    const weight = this.weights.get(`${name}.weight`)!;
    const rms = Math.sqrt(dot(x, x) / x.length + model.rmsNormEps);
    return x.map((value, i) => (value / rms) * weight[i]!);
  }

  #times(name: string, x: Vector): Vector {
    const count = this.weights.get(`${name}.weight`)!.length / x.length;
    return Array.from({ length: count }, (_, n) =>
      dot(this.#row(`${name}.weight`, n, x.length), x),
    );
  }

  #row(name: string, index: number, width = H): Vector {
    return Array.from(this.weights.get(name)!.subarray(index * width, (index + 1) * width));
  }
}

function turn(head: Vector, position: number): Vector {
  const half = headDim / 2;
  return head.map((x, i) => {
    const angle = position * model.ropeTheta ** ((-2 * (i % half)) / headDim);
    const other = i < half ? -head[i + half]! : head[i - half]!;
    return x * Math.cos(angle) + other * Math.sin(angle);
  });
}

function softmax(x: Vector): Vector {
  const exps = x.map(Math.exp);
  const sum = exps.reduce((total, e) => total + e, 0);
  return exps.map((e) => e / sum);
}

function dot(a: Vector, b: Vector): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}

function add(a: Vector, b: Vector): Vector {
  return a.map((x, i) => x + b[i]!);
}

test("reference engines in f32 give the logits of the formulas", async () => {
  const directory = await mkdtemp(join(tmpdir(), "octet-plain-"));
  try {
    const plain = new PlainModel();
    const weights = await writeSyntheticModel({
      path: join(directory, "weights"),
      model,
      weightDtype: "f32",
      seed: 77,
      edit: (name, values) => plain.weights.set(name, values.slice()),
    });
    const pool = { numBlocks: 8, blockSizeTokens: 4 };
    const options = { model, weightDtype: "f32", weights, threads: 1 } as const;
    const engine = await openReferenceAttentionEngine({ ...options, ...pool });
    const expertIds = Array.from({ length: 8 }, (_, id) => toExpertId(id, 8));
    const experts = await openReferenceExpertEngine({ ...options, weights: [weights], expertIds });
    const plan = { lengths: [15], blockSizeTokens: 4, seed: 5 };
    const sequence = planSequences(model, plan)[0]!;
    const { logits } = await runStep(engine, [part(sequence)], expertAnswers(experts));
    const expected = plain.logits(sequence.tokenIds).flat();
    // Only roundings to f32 between the two.
    expect(relativeL2(logits, expected)).toBeLessThanOrEqual(2e-6);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

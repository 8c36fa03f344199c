import { renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readModelConfig } from "./hugging-face-config.ts";
import { openSourceCheckpoint } from "./source-checkpoint.ts";
import { expectRefusal } from "./testing/expect-refusal.ts";
import {
  createSynthetic,
  encodeSafetensors,
  type SyntheticCheckpoint,
  writeSynthetic,
} from "./testing/synthetic-checkpoint.ts";
import { createTemporaryFolder } from "./testing/temporary-folder.ts";

const q = "model.layers.1.self_attn.q_proj.weight";
const indexName = "model.safetensors.index.json";

async function openDir(dir: string): Promise<void> {
  await using source = await openSourceCheckpoint(dir, await readModelConfig(dir));
  expect(source.files.length).toBeGreaterThan(0);
}

/** Writes a checkpoint, after `alter` has spoilt its tensors, and opens it. */
function openAltered(alter: (made: SyntheticCheckpoint) => void, files = 1): Promise<void> {
  const made = createSynthetic();
  alter(made);
  return openDir(writeSynthetic(createTemporaryFolder(), made, files));
}

test("one file or several with an index, both layouts, all three dtypes are accepted", async () => {
  for (const files of [1, 4]) {
    for (const dtype of ["F32", "F16", "BF16"] as const) {
      for (const fused of [false, true]) {
        const made = createSynthetic({}, { dtype, fused });
        await openDir(writeSynthetic(createTemporaryFolder(), made, files));
      }
    }
  }
});

test("a missing tensor is refused by name and shape", async () => {
  const action = openAltered(({ tensors }) => tensors.delete(q));
  await expectRefusal(action, "missing-tensor", `tensor ${q}`, "[96, 64]", "found none");
});

test("a tensor that no Mixtral of this shape has is refused by name", async () => {
  const foreign = "model.layers.2.self_attn.q_proj.weight";
  const action = openAltered(({ tensors }) => tensors.set(foreign, tensors.get(q)!));
  await expectRefusal(action, "foreign-tensor", "model.safetensors", `tensor ${foreign}`);
});

test("an lm_head beside tied embeddings is refused", async () => {
  const action = openAltered((made) => {
    Object.assign(made.config, { tie_word_embeddings: true });
  });
  await expectRefusal(action, "foreign-tensor", "tensor lm_head.weight", "tied embeddings");
});

test("a wrong shape is refused with both shapes, also when transposed", async () => {
  const action = openAltered(({ tensors }) => {
    tensors.set(q, { ...tensors.get(q)!, shape: [64, 96] });
  });
  await expectRefusal(action, "bad-tensor", `tensor ${q}`, "expected [96, 64], found [64, 96]");
});

test("a dtype that is no weight's is refused", async () => {
  const retyped = (dtype: string, bytes: number) =>
    openAltered(({ tensors }) => {
      tensors.set(q, { dtype, shape: [96, 64], data: new Uint8Array(96 * 64 * bytes) });
    });
  await expectRefusal(retyped("U8", 1), "bad-tensor", `tensor ${q}`, "BF16", "found U8");
  await expectRefusal(retyped("I64", 8), "bad-tensor", `tensor ${q}`, "I64");
});

test("a directory without weights is refused", async () => {
  const dir = writeSynthetic(createTemporaryFolder(), createSynthetic());
  rmSync(join(dir, "model.safetensors"));
  await expectRefusal(openDir(dir), "missing-file", "model.safetensors or", "found neither");
});

test("an index and a single file together are refused", async () => {
  const made = createSynthetic();
  const dir = writeSynthetic(createTemporaryFolder(), made, 2);
  writeFileSync(join(dir, "model.safetensors"), encodeSafetensors(made.tensors));
  await expectRefusal(openDir(dir), "bad-file", "found both");
});

test("a file that the index names and nobody has is refused", async () => {
  const dir = writeSynthetic(createTemporaryFolder(), createSynthetic(), 3);
  const name = "model-00002-of-00003.safetensors";
  renameSync(join(dir, name), join(dir, "elsewhere"));
  await expectRefusal(openDir(dir), "missing-file", join(dir, name), indexName);
});

test("an index that contradicts its files is refused, tensor by tensor", async () => {
  const dir = writeSynthetic(createTemporaryFolder(), createSynthetic(), 2);
  const [first, second] = ["model-00001-of-00002", "model-00002-of-00002"];
  const made = createSynthetic();
  const names = [...made.tensors.keys()];
  const half = Math.ceil(names.length / 2);
  const mapOf = (change: (map: Record<string, string>) => void) => {
    const map = Object.fromEntries(
      names.map((name, i) => [name, `${i < half ? first : second}.safetensors`]),
    );
    change(map);
    writeFileSync(join(dir, indexName), JSON.stringify({ weight_map: map }));
  };
  mapOf((map) => delete map[q]);
  await expectRefusal(openDir(dir), "foreign-tensor", `${second}.safetensors`, q, "no such tensor");
  mapOf((map) => Object.assign(map, { [q]: `${first}.safetensors` }));
  await expectRefusal(openDir(dir), "foreign-tensor", q, `this tensor in ${first}`);
  mapOf((map) => Object.assign(map, { extra: `${first}.safetensors` }));
  await expectRefusal(openDir(dir), "missing-tensor", indexName, "tensor extra", first);
  mapOf((map) => Object.assign(map, { extra: "../../etc/x.safetensors" }));
  await expectRefusal(openDir(dir), "bad-config", indexName, "extra");
  writeFileSync(join(dir, indexName), '{"weights": {}}');
  await expectRefusal(openDir(dir), "bad-config", indexName, "weight_map");
});

test("a truncated file is refused by name and size", async () => {
  const dir = writeSynthetic(createTemporaryFolder(), createSynthetic(), 3);
  const file = join(dir, "model-00003-of-00003.safetensors");
  truncateSync(file, 5000);
  await expectRefusal(openDir(dir), "bad-file", file, "found 5000", "truncated");
});

test("the fused layout with a missing stack is refused by its own name", async () => {
  const made = createSynthetic({}, { fused: true });
  made.tensors.delete("model.layers.0.mlp.experts.down_proj");
  const dir = writeSynthetic(createTemporaryFolder(), made);
  const name = "tensor model.layers.0.mlp.experts.down_proj";
  await expectRefusal(openDir(dir), "missing-tensor", name, "[3, 64, 96]");
});

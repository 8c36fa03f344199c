// Attention of single rows over a long past, on keys and values put into the cache by hand.
import assert from "node:assert/strict";
import { fromBf16Bits, toBf16Bits } from "@octet/core";
import { test } from "vitest";
import { assertClose, assertSameBits } from "../conformance/compare.ts";
import { once } from "../conformance/once.ts";
import { normalValues, seededRandom } from "../conformance/seeded-random.ts";
import { tinyModel } from "../conformance/tiny-model.ts";
import { attention } from "../reference/attention.ts";
import { attend, passBytesMax } from "./attend-dispatches.ts";
import { loadAttentionKernels } from "./attention-kernels.ts";
import { attentionShape, chunkBytes } from "./attention-shape.ts";
import { BindGroups } from "./device/bind-groups.ts";
import { submit } from "./device/commands.ts";
import { ReadBackRing } from "./device/read-back-ring.ts";
import { GrownBuffers } from "./grown-buffers.ts";
import { defaultTuning } from "./multiply.ts";
import type { StepTables } from "./step-tables.ts";
import { sharedSwiftShaderDevice } from "./testing/swiftshader-device.ts";

const numPositions = 32_768;
const blockSizeTokens = 16;
const numBlocks = numPositions / blockSizeTokens;

/** Of bf16 keys and values, which both sides round alike; sums in f32 against sums in f64. */
const relativeL2Max = 1e-5;

/** Neighbours in the sequence are none in memory: 5 and the number of blocks share no factor. */
const blockTable = Array.from({ length: numBlocks }, (_, i) => (i * 5) % numBlocks);

function roundedRows(seed: number, width: number): Float32Array {
  const values = normalValues(seededRandom(seed), numPositions * width);
  return values.map((value) => fromBf16Bits(toBf16Bits(value)));
}

/** Keys or values as rotate-store.wgsl lays them out: pairs of bf16, by slot or by dimension. */
function toCache(rows: Float32Array, heads: number, headDim: number, kind: "keys" | "values") {
  const words = new Uint32Array((numPositions * heads * headDim) / 2);
  for (let position = 0; position < numPositions; position++) {
    const slot = position % blockSizeTokens;
    const block = blockTable[Math.floor(position / blockSizeTokens)]!;
    for (let head = 0; head < heads; head++) {
      for (let pair = 0; pair < headDim / 2; pair++) {
        const at = (position * heads + head) * headDim + 2 * pair;
        const word = toBf16Bits(rows[at]!) | (toBf16Bits(rows[at + 1]!) << 16);
        const ofHead = block * heads + head;
        const place =
          kind === "keys"
            ? (ofHead * (headDim / 2) + pair) * blockSizeTokens + slot
            : ((ofHead * blockSizeTokens + slot) * headDim) / 2 + pair;
        words[place] = word;
      }
    }
  }
  return words;
}

const model = tinyModel({ headDim: 128, numAttentionHeads: 8, numKeyValueHeads: 2 });
const { headDim, numAttentionHeads, numKeyValueHeads } = model;
const kernelShape = {
  ...attentionShape(model, "bf16"),
  rowDtype: "f32",
  queryRowWords: 1024,
} as const;

/** What is the same with a window and without: a cache and compiled kernels. */
const openCache = once(async () => {
  const width = numKeyValueHeads * headDim;
  const [keys, values] = [roundedRows(1, width), roundedRows(2, width)];
  const queries = normalValues(seededRandom(3), numAttentionHeads * headDim);
  const device = await sharedSwiftShaderDevice();
  const groups = new BindGroups(device);
  const buffers = new GrownBuffers(device, groups);
  const kernels = loadAttentionKernels(device, kernelShape, {
    embeddingDtype: "bf16",
    // No product is run here.
    tuning: { projection: defaultTuning, output: defaultTuning, lmHead: defaultTuning },
  });
  const layer = {
    keys: buffers.write("keys", toCache(keys, numKeyValueHeads, headDim, "keys")),
    values: buffers.write("values", toCache(values, numKeyValueHeads, headDim, "values")),
  };
  const ring = new ReadBackRing(device);
  return { keys, values, queries, width, device, groups, buffers, kernels, ring, layer };
});

async function openCase(slidingWindow: number | undefined) {
  const cache = await openCache();
  const { keys, values, queries, width, device, groups, buffers, kernels, ring, layer } = cache;
  const shape = { ...kernelShape, window: slidingWindow ?? kernelShape.window };
  // Four heads of a dimension lie side by side.
  const quads = Float32Array.from(queries.keys(), (i) => {
    const [quad, d, member] = [Math.floor(i / (4 * headDim)), Math.floor(i / 4) % headDim, i % 4];
    return queries[(quad * 4 + member) * headDim + d]! / Math.sqrt(headDim);
  });

  const run = async (options: {
    position: number;
    prefill: boolean;
    chunksAtOnce: number;
    queryScale?: number;
  }) => {
    const { position, prefill, chunksAtOnce, queryScale = 1 } = options;
    const window = slidingWindow ?? numPositions;
    const tables = {
      numTokens: 1,
      tokens: Uint32Array.of(position, 0),
      tiles: Uint32Array.of(0, 1),
      numDecodeTiles: prefill ? 0 : 1,
      numPrefillTiles: prefill ? 1 : 0,
      firstChunk: Math.floor(Math.max(0, position - window + 1) / 256),
      endChunk: Math.floor(position / 256) + 1,
    } as StepTables; // the rest is the other kernels'
    const step = {
      tokens: buffers.write("tokens", tables.tokens),
      tiles: buffers.write("tiles", tables.tiles),
      blocks: buffers.write("blocks", Uint32Array.from(blockTable)),
    };
    const sizeBytes = numAttentionHeads * headDim * 4;
    const scratch = {
      queries: buffers.write(
        "queries",
        new Uint32Array(quads.map((query) => query * queryScale).buffer),
      ),
      carried: buffers.get("carried", 3 * sizeBytes),
      attended: buffers.get("attended", sizeBytes),
    };
    const most = Math.min(passBytesMax, chunksAtOnce * chunkBytes(shape).values);
    const context = { shape, kernels, groups, buffers, blockSizeTokens, passBytesMax: most };
    const dispatches = attend(context as never, layer as never, { tables, step, scratch } as never);
    const slot = await ring.acquire();
    submit(device, dispatches, [{ from: scratch.attended, to: slot.buffer(sizeBytes), sizeBytes }]);
    const bytes = await slot.read(sizeBytes);
    slot.release();
    return { attended: new Float32Array(bytes), numDispatches: dispatches.length };
  };

  const expected = (position: number, queryScale = 1) =>
    attention({
      queries: queries.map((query) => query * queryScale),
      keys: keys.subarray(0, (position + 1) * width),
      values: values.subarray(0, (position + 1) * width),
      startPosition: position,
      ...{ numAttentionHeads, numKeyValueHeads, headDim, slidingWindow },
    });
  return { run, expected };
}

for (const slidingWindow of [undefined, 4096]) {
  const past = slidingWindow === undefined ? "" : `, window of ${slidingWindow}`;
  const rule = "near f64's, the same bits in decode, prefill and passes";
  test(`attention of position 32,767${past}: ${rule}`, { timeout: 240_000 }, async () => {
    const { run, expected } = await openCase(slidingWindow);
    const position = numPositions - 1;
    const decode = { position, prefill: false, chunksAtOnce: 200 };
    const { attended, numDispatches } = await run(decode);
    assert.equal(numDispatches, 2);
    const what = `position ${position}`;
    assertClose(attended, expected(position), { bound: relativeL2Max, what });
    for (const other of [
      { position, prefill: true, chunksAtOnce: 200 },
      { position, prefill: false, chunksAtOnce: 60 },
      { position, prefill: true, chunksAtOnce: 23 },
    ]) {
      const again = await run(other);
      assertSameBits(again.attended, attended, `${what}, ${JSON.stringify(other)}`);
    }
  });
}

test("attention to scores of hundreds: finite, and near f64's", { timeout: 240_000 }, async () => {
  const { run, expected } = await openCase(undefined);
  const [position, queryScale] = [700, 64];
  // Scores are off by an ulp or a few of 200, and what they weigh by as much.
  const bound = 1e-3;
  for (const prefill of [false, true]) {
    const { attended } = await run({ position, prefill, chunksAtOnce: 200, queryScale });
    const what = prefill ? "prefill" : "decode";
    assertClose(attended, expected(position, queryScale), { bound, what });
  }
});

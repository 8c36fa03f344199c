// What a step's kernels look up: positions, blocks, tiles, angles and routes, made on the host once.
import type { ModelConfig } from "@octet/core";
import type { StepSequence } from "../attention-engine.ts";
import { ropeFrequencies } from "../reference/rope.ts";
import { chunkPositions } from "./attention-shape.ts";

/** A sequence's part in a step, as it crosses to the GPU thread. */
export interface PlainSequence {
  readonly tokenIds: Int32Array;
  readonly startPosition: number;
  readonly blockTable: Int32Array;
  readonly logits: StepSequence["logits"];
}

/** Tokens that attend-prefill.wgsl takes at once. */
const prefillTileTokens = 16;

/** The tables of one step; T tokens. */
export interface StepTables {
  readonly numTokens: number;
  /** [T] of (position, where its block table begins in `blocks`) */
  readonly tokens: Uint32Array<ArrayBuffer>;
  readonly blocks: Uint32Array<ArrayBuffer>;
  /** Of (first token, tokens): those of one token, then those of more. */
  readonly tiles: Uint32Array<ArrayBuffer>;
  readonly numDecodeTiles: number;
  readonly numPrefillTiles: number;
  /** [T, headDim / 2] of (cos, sin) */
  readonly angles: Float32Array<ArrayBuffer>;
  /** [T] of (token id, 1): the embedding's routes. */
  readonly embeddingRoutes: Uint32Array<ArrayBuffer>;
  /** [n]: rows whose logits were asked for. */
  readonly logitRows: Uint32Array<ArrayBuffer>;
  /** Chunks that some token sees: from, and up to but not with. */
  readonly firstChunk: number;
  readonly endChunk: number;
}

const one = 0x3f800000; // the bits of 1, f32

export function buildStepTables(
  sequences: readonly PlainSequence[],
  model: ModelConfig,
): StepTables {
  const numTokens = sequences.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
  const half = model.headDim / 2;
  const frequencies = ropeFrequencies(model.headDim, model.ropeTheta);
  const tokens = new Uint32Array(2 * numTokens);
  const embeddingRoutes = new Uint32Array(2 * numTokens).fill(one);
  const angles = new Float32Array(2 * half * numTokens);
  const blocks: number[] = [];
  const logitRows: number[] = [];
  let row = 0;
  for (const { tokenIds, startPosition, blockTable, logits } of sequences) {
    const end = row + tokenIds.length;
    tokenIds.forEach((tokenId, i) => {
      const position = startPosition + i;
      tokens.set([position, blocks.length], 2 * row);
      embeddingRoutes[2 * row] = tokenId;
      fillAngles(angles.subarray(2 * half * row, 2 * half * (row + 1)), position, frequencies);
      if (logits === "all" || (logits === "last" && row === end - 1)) logitRows.push(row);
      row += 1;
    });
    for (const block of blockTable) blocks.push(block);
  }
  return {
    numTokens,
    tokens,
    blocks: Uint32Array.from(blocks),
    ...buildTiles(sequences),
    angles,
    embeddingRoutes,
    logitRows: Uint32Array.from(logitRows),
    ...chunksSeen(sequences, model.slidingWindow),
  };
}

/** As the reference rounds them: the angle to f32, its cosine and sine in f64, then to f32. */
function fillAngles(into: Float32Array, position: number, frequencies: Float32Array): void {
  for (let pair = 0; pair < frequencies.length; pair++) {
    const angle = Math.fround(position * frequencies[pair]!);
    into[2 * pair] = Math.cos(angle);
    into[2 * pair + 1] = Math.sin(angle);
  }
}

function buildTiles(sequences: readonly PlainSequence[]) {
  const decode: number[] = [];
  const prefill: number[] = [];
  let first = 0;
  for (const { tokenIds } of sequences) {
    const end = first + tokenIds.length;
    if (tokenIds.length === 1) decode.push(first, 1);
    else {
      for (let at = first; at < end; at += prefillTileTokens) {
        prefill.push(at, Math.min(prefillTileTokens, end - at));
      }
    }
    first = end;
  }
  return {
    tiles: Uint32Array.from([...decode, ...prefill]),
    numDecodeTiles: decode.length / 2,
    numPrefillTiles: prefill.length / 2,
  };
}

function chunksSeen(sequences: readonly PlainSequence[], window = Number.POSITIVE_INFINITY) {
  let firstChunk = Number.POSITIVE_INFINITY;
  let endChunk = 0;
  for (const { startPosition, tokenIds } of sequences) {
    const oldest = Math.max(0, startPosition - window + 1);
    const last = startPosition + tokenIds.length - 1;
    firstChunk = Math.min(firstChunk, Math.floor(oldest / chunkPositions));
    endChunk = Math.max(endChunk, Math.floor(last / chunkPositions) + 1);
  }
  return { firstChunk, endChunk };
}

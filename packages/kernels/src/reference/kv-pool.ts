// Keys and values of past tokens, in blocks, one pool a layer.
import {
  type BlockId,
  fromBf16Bits,
  type ModelConfig,
  replyDtype,
  toBf16Bits,
  type WeightDtype,
} from "@octet/core";

/** The keys and values of one layer; rows are [numKeyValueHeads × headDim] f32. */
export class KvPool {
  readonly #keys: Float32Array;
  readonly #values: Float32Array;
  readonly #width: number;
  readonly #blockSizeTokens: number;
  readonly #stored: (value: number) => number;

  constructor(
    model: ModelConfig,
    weightDtype: WeightDtype,
    size: { readonly numBlocks: number; readonly blockSizeTokens: number },
  ) {
    this.#width = model.numKeyValueHeads * model.headDim;
    this.#blockSizeTokens = size.blockSizeTokens;
    this.#keys = new Float32Array(size.numBlocks * size.blockSizeTokens * this.#width);
    this.#values = new Float32Array(this.#keys.length);
    this.#stored =
      replyDtype(weightDtype) === "f32" ? Math.fround : (x) => fromBf16Bits(toBf16Bits(x));
  }

  get bytes(): number {
    return this.#keys.byteLength + this.#values.byteLength;
  }

  /** Writes one position, rounded as the cache stores it: as rows are. */
  write(
    blockTable: readonly BlockId[],
    position: number,
    { key, value }: { readonly key: Float32Array; readonly value: Float32Array },
  ): void {
    const slot = this.#slot(blockTable, position) * this.#width;
    this.#keys.set(key.map(this.#stored), slot);
    this.#values.set(value.map(this.#stored), slot);
  }

  /** Positions 0 .. numPositions - 1, copied out in order. */
  read(blockTable: readonly BlockId[], numPositions: number) {
    const keys = new Float32Array(numPositions * this.#width);
    const values = new Float32Array(keys.length);
    for (let position = 0; position < numPositions; position++) {
      const slot = this.#slot(blockTable, position) * this.#width;
      keys.set(this.#keys.subarray(slot, slot + this.#width), position * this.#width);
      values.set(this.#values.subarray(slot, slot + this.#width), position * this.#width);
    }
    return { keys, values };
  }

  #slot(blockTable: readonly BlockId[], position: number): number {
    const blockId = blockTable[Math.floor(position / this.#blockSizeTokens)]!;
    return blockId * this.#blockSizeTokens + (position % this.#blockSizeTokens);
  }
}

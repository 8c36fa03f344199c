// What attention computes in: scratch that every step of an engine shares, and what a step keeps.
import type { AttentionShape } from "./attention-shape.ts";
import type { BindGroups } from "./device/bind-groups.ts";
import type { GpuDevice } from "./device/gpu-device.ts";
import { GrownBuffers } from "./grown-buffers.ts";
import type { StepTables } from "./step-tables.ts";

/** Scratch for T tokens. Steps may share it: what is submitted runs in order. */
export interface Scratch {
  /** [T] rows as matrices, and the experts, take them. */
  readonly hidden: GPUBuffer;
  /** [T, H] f32 */
  readonly normed: GPUBuffer;
  readonly projected: GPUBuffer;
  readonly queries: GPUBuffer;
  readonly carried: GPUBuffer;
  /** [T] rows as the output projection takes them. */
  readonly attended: GPUBuffer;
  /** [T] */
  readonly faults: GPUBuffer;
  /** [T, 2 K + 1] words */
  readonly routing: GPUBuffer;
  /** [T]: 0, 1, 2 ... */
  readonly everyRow: GPUBuffer;
}

export function scratchFor(buffers: GrownBuffers, shape: AttentionShape, T: number): Scratch {
  const { model, hiddenRowWords, projectedStride, numQuads, queryWidth, queryRowWords } = shape;
  const get = (name: string, words: number) => buffers.get(name, T * words * 4);
  return {
    hidden: get("hidden", hiddenRowWords),
    normed: get("normed", model.hiddenSize),
    projected: get("projected", projectedStride),
    queries: get("queries", numQuads * model.headDim * 4),
    carried: get("carried", queryWidth * 3),
    attended: get("attended", queryRowWords),
    faults: get("faults", 1),
    routing: get("routing", 2 * model.numExpertsPerToken + 1),
    everyRow: everyRow(buffers, T),
  };
}

/** Written when it grows, and never again. */
function everyRow(buffers: GrownBuffers, T: number): GPUBuffer {
  const known = buffers.find("every row");
  if (known !== undefined && known.size >= T * 4) return known;
  const capacity = buffers.get("every row", T * 4).size / 4;
  return buffers.write(
    "every row",
    Uint32Array.from({ length: capacity }, (_, row) => row),
  );
}

/** A step's own buffers; one step after another has the same ones. */
export class StepBuffers {
  readonly #buffers: GrownBuffers;
  readonly #shape: AttentionShape;

  constructor(device: GpuDevice, groups: BindGroups, shape: AttentionShape) {
    this.#buffers = new GrownBuffers(device, groups);
    this.#shape = shape;
  }

  /** Takes up a step that begins. */
  open(tables: StepTables): BoundStep {
    const { hiddenStride } = this.#shape;
    const buffers = this.#buffers;
    return {
      residual: buffers.get("residual", tables.numTokens * hiddenStride * 4),
      tokens: buffers.write("tokens", tables.tokens),
      blocks: buffers.write("blocks", tables.blocks),
      tiles: buffers.write("tiles", tables.tiles),
      angles: buffers.write("angles", new Uint32Array(tables.angles.buffer)),
      embeddingRoutes: buffers.write("embedding routes", tables.embeddingRoutes),
      logitRows: buffers.write("logit rows", tables.logitRows),
    };
  }

  /** Experts' answers, batch after batch, and where each token finds its own. */
  writeReplies(
    replies: Uint8Array<ArrayBuffer>,
    routes: Uint32Array<ArrayBuffer>,
  ): { replies: GPUBuffer; routes: GPUBuffer } {
    return {
      replies: this.#buffers.write("replies", replies),
      routes: this.#buffers.write("routes", routes),
    };
  }

  destroy(): void {
    this.#buffers.destroy();
  }
}

/** Where one step's tables lie; what step-tables.ts calls them. */
export interface BoundStep {
  /** [T] rows of the residual stream, f32. */
  readonly residual: GPUBuffer;
  readonly tokens: GPUBuffer;
  readonly blocks: GPUBuffer;
  readonly tiles: GPUBuffer;
  readonly angles: GPUBuffer;
  readonly embeddingRoutes: GPUBuffer;
  readonly logitRows: GPUBuffer;
}

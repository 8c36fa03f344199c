// An expert engine whose answers anyone can work out, and that waits when told to.
import {
  type ActivationRows,
  activationRowBytes,
  dispatchDtype,
  type ExpertId,
  fromBf16Bits,
  type ModelConfig,
  quantBlockSize,
  replyDtype,
  toBf16Bits,
  type WeightDtype,
} from "@octet/core";
import { type ExpertCall, type ExpertEngine, KernelError } from "@octet/kernels";

/** The model that affine engines pretend to hold. */
export const affineModel: ModelConfig = {
  hiddenSize: 64,
  intermediateSize: 96,
  numLayers: 3,
  numAttentionHeads: 4,
  numKeyValueHeads: 2,
  headDim: 16,
  numExperts: 4,
  numExpertsPerToken: 2,
  vocabSize: 97,
  maxPositions: 128,
  ropeTheta: 10_000,
  rmsNormEps: 1e-5,
  slidingWindow: undefined,
  tieWordEmbeddings: false,
  bosTokenId: undefined,
  eosTokenIds: [],
};

/** Each element becomes element × (expert + 2) + layer, rounded as the dtype rounds. */
export class AffineExpertEngine implements ExpertEngine {
  readonly kind = "reference";
  readonly model = affineModel;
  readonly weightDtype: WeightDtype;
  readonly expertIds: readonly ExpertId[];
  readonly device = "affine";
  readonly weightBytes = 0;
  #isHeld = false;
  #isClosed = false;
  #gate = Promise.withResolvers<void>();
  #previous: Promise<unknown> = Promise.resolve();
  /** Calls that have begun. */
  callsBegun = 0;
  /** Whether calls fail as those of a GPU engine do while it loads its weights again. */
  isDeviceLost = false;

  constructor(weightDtype: WeightDtype, expertIds: readonly ExpertId[]) {
    this.weightDtype = weightDtype;
    this.expertIds = expertIds;
  }

  /** Calls that begin from now on wait for {@link release}. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.#gate.resolve();
    this.#gate = Promise.withResolvers();
  }

  forward(call: ExpertCall): Promise<ActivationRows> {
    const answer = this.#previous.then(() => this.#compute(call));
    this.#previous = answer.catch(() => {});
    return answer;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.release();
  }

  async #compute({ layer, expertId, input }: ExpertCall): Promise<ActivationRows> {
    this.callsBegun++;
    if (this.#isHeld) await this.#gate.promise;
    if (this.#isClosed) throw new KernelError("closed", "the engine was closed");
    if (this.isDeviceLost) throw new KernelError("device-lost", "it is being opened again");
    if (!this.expertIds.includes(expertId)) throw new KernelError("not-held", `${expertId}`);
    const { rows, width } = input;
    const values = decode(input).map((value) => Math.fround(value * (expertId + 2) + layer));
    if (!values.every(Number.isFinite)) throw new KernelError("non-finite", "found NaN");
    const dtype = replyDtype(this.weightDtype);
    return { dtype, rows, width, data: encode(dtype, values) };
  }
}

/** Rows for an affine engine, different for every seed: small integers in every dtype. */
export function affineInput(weightDtype: WeightDtype, rows: number, seed: number): ActivationRows {
  const width = affineModel.hiddenSize;
  const dtype = dispatchDtype(weightDtype);
  const values = Float32Array.from({ length: rows * width }, (_, i) => ((seed + i * 7) % 61) - 30);
  if (dtype !== "q8") return { dtype, rows, width, data: encode(dtype, values) };
  const rowBytes = activationRowBytes(dtype, width);
  const data = new Uint8Array(rows * rowBytes);
  const view = new DataView(data.buffer);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) view.setInt8(row * rowBytes + i, values[row * width + i]!);
    for (let block = 0; block < width / quantBlockSize; block++) {
      view.setFloat32(row * rowBytes + width + block * 4, 0.5 + block, true);
    }
  }
  return { dtype, rows, width, data };
}

function decode({ dtype, rows, width, data }: ActivationRows): Float32Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const rowBytes = activationRowBytes(dtype, width);
  return Float32Array.from({ length: rows * width }, (_, i) => {
    const column = i % width;
    const start = Math.floor(i / width) * rowBytes;
    if (dtype === "f32") return view.getFloat32(start + column * 4, true);
    if (dtype === "bf16") return fromBf16Bits(view.getUint16(start + column * 2, true));
    const scale = start + width + Math.floor(column / quantBlockSize) * 4;
    return view.getInt8(start + column) * view.getFloat32(scale, true);
  });
}

function encode(dtype: "f32" | "bf16" | "q8", values: Float32Array): Uint8Array {
  const packed = dtype === "f32" ? values.slice() : Uint16Array.from(values, toBf16Bits);
  return new Uint8Array(packed.buffer);
}

// What a step's last read-back says: logits, or the largest of them, unless something is not finite.
import { KernelError } from "../kernel-error.ts";
import type { FinishAnswer } from "./attention-protocol.ts";
import type { AttentionShape } from "./attention-shape.ts";
import type { Answer } from "./thread/recovering-engine.ts";

/** What was asked for. */
export interface FinishRequest {
  readonly numRows: number;
  readonly shape: AttentionShape;
  readonly topCount: number | undefined;
}

/**
 * @param bytes [n] faults, then [n, stride] logits or [n, count] of (id, logit)
 * @throws {KernelError} "non-finite"
 */
export function finishAnswer(bytes: ArrayBuffer, request: FinishRequest): Answer {
  const { numRows, shape, topCount } = request;
  const faults = new Uint32Array(bytes, 0, numRows);
  const words = new Uint32Array(bytes, numRows * 4);
  if (faults.some((fault) => fault !== 0)) throw notFinite();
  if (topCount === undefined) {
    const { vocabSize } = shape.model;
    const logits = new Uint32Array(numRows * vocabSize);
    for (let row = 0; row < numRows; row++) {
      const start = row * shape.logitStride;
      logits.set(words.subarray(start, start + vocabSize), row * vocabSize);
    }
    if (!logits.every(isFiniteBits)) throw notFinite();
    return answer({ kind: "all", logits: new Float32Array(logits.buffer) });
  }
  const count = numRows * topCount;
  const tokenIds = Int32Array.from({ length: count }, (_, i) => words[2 * i]!);
  const logits = Uint32Array.from({ length: count }, (_, i) => words[2 * i + 1]!);
  return answer({ kind: "top", tokenIds, logits: new Float32Array(logits.buffer) });
}

function answer(body: FinishAnswer): Answer {
  const transfer = [body.logits.buffer];
  return { body, transfer: body.kind === "top" ? [...transfer, body.tokenIds.buffer] : transfer };
}

function isFiniteBits(bits: number): boolean {
  return (bits & 0x7f800000) !== 0x7f800000;
}

function notFinite(): KernelError {
  return new KernelError("non-finite", "the logits hold NaN or infinity");
}

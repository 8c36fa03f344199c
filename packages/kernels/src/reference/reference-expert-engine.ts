// The expert side of the seam in plain TypeScript: what the other engines are held against.
import { type ActivationRows, replyDtype, type WeightDtype } from "@octet/core";
import type { ExpertCall, ExpertEngine, ExpertEngineOptions } from "../expert-engine.ts";
import { KernelError } from "../kernel-error.ts";
import { validateExpertCall } from "../validate-expert-call.ts";
import { assertCounts, validateModel } from "../validate-model.ts";
import { requiredExpertTensors } from "../validate-weights.ts";
import { decodeActivations, encodeActivations } from "./activation-rows.ts";
import { type Matrix, multiply, openMatrix, project } from "./matrix.ts";
import { silu } from "./silu.ts";
import { readTensorsOf, totalBytes } from "./weight-reader.ts";

/**
 * Opens the oracle for experts: f64 sums, no cleverness, no threads. It computes on the event loop
 * and is for tests and small models.
 *
 * @throws {KernelError} "unsupported" for a model it cannot compute; "bad-weights" for a file that
 *   does not hold its experts
 */
export async function openReferenceExpertEngine(
  options: ExpertEngineOptions,
): Promise<ExpertEngine> {
  const { model, weightDtype, weights } = options;
  assertCounts({ threads: options.threads });
  validateModel(model, weightDtype);
  const expertIds = [...options.expertIds];
  const tensors = await readTensorsOf(
    weights,
    requiredExpertTensors(model, weightDtype, expertIds),
  );
  let closed = false;
  return {
    kind: "reference",
    model,
    weightDtype,
    expertIds,
    device: "reference, 1 thread",
    weightBytes: totalBytes(tensors),
    async forward(call: ExpertCall): Promise<ActivationRows> {
      if (closed) throw new KernelError("closed", "the expert engine was closed; open another");
      validateExpertCall(call, { model, weightDtype, expertIds });
      const prefix = `model.layers.${call.layer}.block_sparse_moe.experts.${call.expertId}`;
      const { hiddenSize: H, intermediateSize: I } = model;
      const matrix = (name: string, outSize: number, inSize: number) =>
        openMatrix(tensors, `${prefix}.${name}.weight`, {
          dtype: weightDtype,
          shape: [outSize, inSize],
        });
      const output = feedForward(call.input, weightDtype, {
        w1: matrix("w1", I, H),
        w3: matrix("w3", I, H),
        w2: matrix("w2", H, I),
      });
      if (!decodeActivations(output).every(Number.isFinite)) {
        throw new KernelError(
          "non-finite",
          `layer ${call.layer} expert ${call.expertId}: expected finite outputs, found NaN or ` +
            "infinity; check the rows sent and the weights' checksum",
        );
      }
      return output;
    },
    async close(): Promise<void> {
      closed = true;
    },
  };
}

/** One expert's matrices in one layer. */
interface ExpertMatrices {
  readonly w1: Matrix;
  readonly w3: Matrix;
  readonly w2: Matrix;
}

/** w2(silu(w1 x) * w3 x), its intermediates stored in f32. */
function feedForward(
  input: ActivationRows,
  weightDtype: WeightDtype,
  { w1, w3, w2 }: ExpertMatrices,
): ActivationRows {
  const x = decodeActivations(input);
  const gated = multiply(x, w1);
  const linear = multiply(x, w3);
  const hidden = gated.map((value, i) => silu(value) * linear[i]!);
  return encodeActivations(project(hidden, w2, weightDtype), w2.outSize, replyDtype(weightDtype));
}

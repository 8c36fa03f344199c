// Whether a call makes sense for a model, before anyone is asked.
import { activationRowBytes, dispatchDtype, rowsPerCallMax, type WeightDtype } from "@octet/core";
import type { ExpertCallCode } from "@octet/engine";
import type { ExpertQuestion } from "./pending-call.ts";

/** The shapes that a call must fit. */
export interface QuestionShape {
  readonly numLayers: number;
  readonly hiddenSize: number;
  readonly weightDtype: WeightDtype;
}

/** What is wrong with `question`, or undefined. */
export function findQuestionProblem(
  { layer, input }: ExpertQuestion,
  { numLayers, hiddenSize, weightDtype }: QuestionShape,
): { code: ExpertCallCode; detail: string } | undefined {
  if (!Number.isInteger(layer) || layer < 0 || layer >= numLayers) {
    return { code: "not-held", detail: `expected layer 0 to ${numLayers - 1}, found ${layer}` };
  }
  const badShape = (detail: string) => ({ code: "bad-shape", detail }) as const;
  const dtype = dispatchDtype(weightDtype);
  if (input.dtype !== dtype) return badShape(`expected ${dtype} rows, found ${input.dtype}`);
  if (input.width !== hiddenSize) {
    return badShape(`expected rows of width ${hiddenSize}, found ${input.width}`);
  }
  const { rows, data } = input;
  if (!Number.isInteger(rows) || rows < 1 || rows > rowsPerCallMax) {
    return badShape(`expected 1 to ${rowsPerCallMax} rows, found ${rows}`);
  }
  const bytes = rows * activationRowBytes(dtype, hiddenSize);
  if (data.byteLength === bytes) return undefined;
  return badShape(`expected ${bytes} bytes for ${rows} rows, found ${data.byteLength}`);
}

// Takes a step through its layers, asking something for the experts' answers.
import { type ActivationRows, type ModelConfig, replyDtype, type WeightDtype } from "@octet/core";
import type {
  AttentionEngine,
  AttentionStep,
  ExpertBatch,
  ExpertOutput,
  LayerDispatch,
  StepSequence,
} from "../attention-engine.ts";
import type { ExpertEngine } from "../expert-engine.ts";
import { encodeActivations } from "../reference/activation-rows.ts";
import { copyBytes } from "./compare.ts";
import { normalValues, seededRandom } from "./seeded-random.ts";

/** What stands for the experts. */
export type Answer = (
  layer: number,
  batch: ExpertBatch,
) => ActivationRows | Promise<ActivationRows>;

/** All that a step handed back, copied out of its memory. */
export interface StepTrace {
  readonly dispatches: readonly LayerDispatch[];
  /** [n, V] f32. */
  readonly logits: Float32Array;
}

/** Runs a whole step. */
export async function runStep(
  engine: AttentionEngine,
  sequences: readonly StepSequence[],
  answer: Answer,
): Promise<StepTrace> {
  const step = engine.openStep(sequences);
  const { dispatches, outputs } = await runLayers(step, engine.model.numLayers, answer);
  return { dispatches, logits: (await step.finish(outputs)).slice() };
}

/** Runs the first `numLayers` layers of a step; `outputs` are those of the last. */
export async function runLayers(
  step: AttentionStep,
  numLayers: number,
  answer: Answer,
): Promise<{ dispatches: LayerDispatch[]; outputs: ExpertOutput[] }> {
  const dispatches: LayerDispatch[] = [];
  let outputs: ExpertOutput[] = [];
  for (let layer = 0; layer < numLayers; layer++) {
    const dispatch = copyDispatch(await step.runLayer(layer, outputs));
    dispatches.push(dispatch);
    outputs = await answerBatches(layer, dispatch, answer);
  }
  return { dispatches, outputs };
}

/** One output for each batch of a layer. */
export function answerBatches(
  layer: number,
  { batches }: LayerDispatch,
  answer: Answer,
): Promise<ExpertOutput[]> {
  return Promise.all(
    batches.map(async (batch) => ({
      expertId: batch.expertId,
      output: await answer(layer, batch),
    })),
  );
}

/** Real experts. */
export function expertAnswers(experts: ExpertEngine): Answer {
  return (layer, { expertId, input }) => experts.forward({ layer, expertId, input });
}

/**
 * The same seeded row for a token whichever expert is asked. As combine weights sum to 1, a token
 * near a tie goes on alike whichever way the tie falls, so two engines can be compared to the end.
 */
export function tokenAnswers(model: ModelConfig, weightDtype: WeightDtype): Answer {
  return (layer, { tokenIndex }) =>
    seededRows(
      model,
      weightDtype,
      Array.from(tokenIndex, (token) => token * 31 + layer),
    );
}

/** A seeded row for each expert and token, so that only the right weights give the right sum. */
export function expertTokenAnswers(model: ModelConfig, weightDtype: WeightDtype): Answer {
  return (layer, { expertId, tokenIndex }) => {
    const seeds = Array.from(tokenIndex, (token) => (token * 64 + expertId) * 31 + layer);
    return seededRows(model, weightDtype, seeds);
  };
}

function seededRows(model: ModelConfig, weightDtype: WeightDtype, seeds: number[]): ActivationRows {
  const H = model.hiddenSize;
  const values = new Float32Array(seeds.length * H);
  seeds.forEach((seed, row) => {
    values.set(normalValues(seededRandom(seed), H), row * H);
  });
  return encodeActivations(values, H, replyDtype(weightDtype));
}

function copyDispatch({ batches, expertIds, combineWeights }: LayerDispatch): LayerDispatch {
  return {
    batches: batches.map(({ expertId, input, tokenIndex }) => ({
      expertId,
      input: { ...input, data: copyBytes(input.data) },
      tokenIndex: tokenIndex.slice(),
    })),
    expertIds: expertIds.slice(),
    combineWeights: combineWeights.slice(),
  };
}

// An answer in one piece.
import type { GenerateFinished } from "@octet/protocol";
import { type AnswerPlan, envelopeOf } from "./answer-plan.ts";
import { ChoiceReader } from "./choice-reader.ts";
import { type AnswerRun, runAnswer, toAnswerEnd } from "./run-answer.ts";
import { toTimings, toUsage } from "./usage.ts";

/** @throws {ApiError} if one of the choices fails; the others are cancelled */
export async function collectAnswers(plan: AnswerPlan, bounds: AnswerRun): Promise<object> {
  const stop = new AbortController();
  const signal = AbortSignal.any([bounds.signal, stop.signal]);
  try {
    const answers = await Promise.all(
      plan.requests.map((_, index) => collectOne(plan, index, { ...bounds, signal })),
    );
    const finished = answers.map((answer) => answer.finished);
    return {
      ...envelopeOf(plan, plan.format.wholeObject),
      choices: answers.map(({ choice }) => choice),
      usage: toUsage(finished),
      timings: toTimings(finished),
      ...(plan.warnings.length > 0 ? { warnings: plan.warnings } : {}),
    };
  } finally {
    stop.abort();
  }
}

async function collectOne(
  plan: AnswerPlan,
  index: number,
  bounds: AnswerRun,
): Promise<{ choice: object; finished: GenerateFinished }> {
  const reader = new ChoiceReader(plan, index);
  const parts = [...reader.begin()];
  let finished: GenerateFinished | undefined;
  for await (const event of runAnswer(plan, index, bounds)) {
    parts.push(...reader.read(event));
    if (event.case === "finished") finished = event.value;
  }
  const end = toAnswerEnd(finished!); // runAnswer has thrown if there is none
  const choice = { ...plan.format.whole(index, parts, end), ...reader.extras(finished!) };
  return { choice, finished: finished! };
}

// An answer in one piece.
import type { GenerateFinished } from "@octet/protocol";
import { type AnswerPlan, envelopeOf } from "./answer-plan.ts";
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
  let text = plan.requests[index]!.echo;
  let promptTokenIds: readonly number[] = [];
  const tokenIds: number[] = [];
  let finished: GenerateFinished | undefined;
  for await (const event of runAnswer(plan, index, bounds)) {
    if (event.case === "started") promptTokenIds = event.value.promptTokenIds;
    else if (event.case === "finished") finished = event.value;
    else if (event.case === "delta") {
      text += event.value.text;
      tokenIds.push(...event.value.tokenIds);
    }
  }
  const ids = plan.returnTokenIds ? { tokenIds, promptTokenIds } : {};
  const end = toAnswerEnd(finished!); // runAnswer has thrown if there is none
  return { choice: plan.format.whole(index, { text, ...ids }, end), finished: finished! };
}

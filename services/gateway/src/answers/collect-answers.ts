// An answer in one piece.
import type { GenerateFinished } from "@octet/protocol";
import { type AnswerPlan, envelopeOf } from "./answer-plan.ts";
import { type ChoiceReader, readersFor, readersOf } from "./choice-reader.ts";
import { type AnswerRun, runAnswer, toAnswerEnd } from "./run-answer.ts";
import { toTimings, toUsage } from "./usage.ts";

/** @throws {ApiError} if one of the choices fails; the others are cancelled */
export async function collectAnswers(plan: AnswerPlan, bounds: AnswerRun): Promise<object> {
  const stop = new AbortController();
  const signal = AbortSignal.any([bounds.signal, stop.signal]);
  try {
    const answers = await Promise.all(
      plan.requests.map((_, index) => collectChoices(plan, index, { ...bounds, signal })),
    );
    const all = answers.flat();
    const finished = all.map((answer) => answer.finished);
    return {
      ...envelopeOf(plan, plan.format.wholeObject),
      choices: all.map(({ choice }) => choice),
      usage: toUsage(finished),
      timings: toTimings(finished),
      ...Object.assign({}, ...all.map(({ extras }) => extras)),
      ...(plan.warnings.length > 0 ? { warnings: plan.warnings } : {}),
    };
  } finally {
    stop.abort();
  }
}

async function collectChoices(
  plan: AnswerPlan,
  requestIndex: number,
  bounds: AnswerRun,
): Promise<{ choice: object; extras: object; finished: GenerateFinished }[]> {
  const readers = readersOf(plan, requestIndex);
  const parts = new Map(readers.map((reader) => [reader, [...reader.begin()]]));
  const finished = new Map<ChoiceReader, GenerateFinished>();
  for await (const event of runAnswer(plan, requestIndex, bounds)) {
    for (const reader of readersFor(readers, event)) {
      parts.get(reader)!.push(...reader.read(event));
      if (event.case === "finished") finished.set(reader, event.value);
    }
  }
  return readers.map((reader) => {
    const ended = finished.get(reader)!; // runAnswer has thrown if there is none
    const whole = plan.format.whole(reader.index, parts.get(reader)!, toAnswerEnd(ended));
    const choice = { ...whole, ...reader.extras(ended) };
    return { choice, extras: reader.extrasOfAnswer(), finished: ended };
  });
}

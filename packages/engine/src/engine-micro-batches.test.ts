// Steps in two halves, as an engine takes them: the same tokens, the same failures.
import { expect, test } from "vitest";
import { EngineError } from "./engine-error.ts";
import { ExpertCallError } from "./expert-client.ts";
import {
  generate,
  generateAlone,
  openToyEngine,
  type ToyAnswer,
  toyRequests,
} from "./fixture/toy-engine.ts";
import type { Intercept } from "./fixture/toy-expert-client.ts";

const options = { microBatches: "on", limits: { halvedSequencesMin: 2 } } as const;

test("steps in halves change no token, nor who fails", async () => {
  const requests = toyRequests(8);
  const isGone: Intercept = (call) => {
    if (call.layer !== 1 || call.expertId !== 2) return;
    throw new ExpertCallError("unavailable", call, { detail: "on purpose" });
  };
  for (const intercept of [() => {}, isGone]) {
    const { engine } = openToyEngine({ ...options, intercept });
    const together = await Promise.all(requests.map((request) => generate(engine, request)));
    const alone: ToyAnswer[] = [];
    for (const request of requests) {
      alone.push(await generate(openToyEngine({ intercept }).engine, request));
    }
    const outcomeOf = ({ tokenIds, error }: ToyAnswer) => ({
      tokenIds,
      code: error instanceof EngineError ? error.code : undefined,
    });
    expect(together.map(outcomeOf)).toEqual(alone.map(outcomeOf));
    engine.checkIntegrity();
  }
});

test("halves are taken by those who ask for them, and by steps of enough sequences", async () => {
  const requests = toyRequests(8);
  const alone = await generateAlone(requests);
  for (const [microBatches, halvedSequencesMin, isHalved] of [
    ["on", 2, true],
    ["on", 9, false],
    ["off", 2, false],
  ] as const) {
    const limits = { halvedSequencesMin };
    const { engine } = openToyEngine({ microBatches, limits });
    const answers = await Promise.all(requests.map((request) => generate(engine, request)));
    expect(answers.map(({ tokenIds }) => tokenIds)).toEqual(alone.map(({ tokenIds }) => tokenIds));
    expect(engine.load().halvedSteps > 0).toBe(isHalved);
  }
});

// An attention engine and real experts on one synthetic model.
import type { ModelConfig, WeightDtype, WeightFile } from "@octet/core";
import type { AttentionEngine, StepSequence } from "../attention-engine.ts";
import { openReferenceExpertEngine } from "../reference/reference-expert-engine.ts";
import { type EngineTraits, threadCountsOf } from "./engine-traits.ts";
import { allExperts } from "./expert-fixture.ts";
import type { OpenAttentionEngine } from "./open-engine.ts";
import { type Answer, expertAnswers, runStep, type StepTrace } from "./run-step.ts";
import { writeSyntheticModel } from "./synthetic-model.ts";

/** What a rule is tried on. Experts are the reference's: a row's answer depends on it alone. */
export interface AttentionFixture {
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  readonly weights: WeightFile;
  readonly answer: Answer;
  /** Of engines that must give the same bits. */
  readonly threadCounts: readonly number[];
  /** Another engine on the same weights, its KV pool untouched. */
  openEngine(options?: { threads?: number }): Promise<AttentionEngine>;
  /** Runs one step after another on an engine of their own. */
  runSteps(steps: readonly (readonly StepSequence[])[], threads?: number): Promise<StepTrace[]>;
}

/** Rules by name, and how each is checked. */
export type AttentionRules = Readonly<Record<string, (fixture: AttentionFixture) => Promise<void>>>;

/** Blocks and tokens a block of a fixture's engine, unless told. */
export const fixturePool = { numBlocks: 24, blockSizeTokens: 16 };

/** What a fixture is made for. */
export interface AttentionFixtureOptions {
  readonly model: ModelConfig;
  readonly weightDtype: WeightDtype;
  /** Of an engine with threads of its own, unless told. */
  readonly traits?: EngineTraits;
  readonly pool?: { readonly numBlocks: number; readonly blockSizeTokens: number };
}

export async function createAttentionFixture(
  open: OpenAttentionEngine,
  path: string,
  {
    model,
    weightDtype,
    traits = { hasOwnThreads: true },
    pool = fixturePool,
  }: AttentionFixtureOptions,
): Promise<AttentionFixture> {
  const weights = await writeSyntheticModel({ path, model, weightDtype, seed: 17 });
  const expertIds = allExperts(model);
  const experts = await openReferenceExpertEngine({
    model,
    weightDtype,
    weights: [weights],
    expertIds,
    threads: 1,
  });
  const answer = expertAnswers(experts);
  const openEngine = ({ threads = 1 } = {}) =>
    open({ model, weightDtype, weights, threads, ...pool });
  return {
    model,
    weightDtype,
    weights,
    answer,
    threadCounts: threadCountsOf(traits),
    openEngine,
    async runSteps(steps, threads = 1) {
      const engine = await openEngine({ threads });
      const traces: StepTrace[] = [];
      for (const sequences of steps) traces.push(await runStep(engine, sequences, answer));
      await engine.close();
      return traces;
    },
  };
}

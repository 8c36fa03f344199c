// What every expert engine must do, whatever it computes on.
import { toExpertId, weightDtypes } from "@octet/core";
import { test } from "vitest";
import { type EngineTraits, threadCountsOf } from "./engine-traits.ts";
import { allExperts, type ExpertFixture, expertRows, fixtureSeed } from "./expert-fixture.ts";
import { expertTwinTests } from "./expert-twin.ts";
import { once } from "./once.ts";
import type { OpenExpertEngine } from "./open-engine.ts";
import { expertInvarianceRules } from "./rules-expert-invariance.ts";
import { expertRefusalRules } from "./rules-expert-refusal.ts";
import { scratchDirectory } from "./scratch-directory.ts";
import { writeSyntheticModel } from "./synthetic-model.ts";
import { tinyModel } from "./tiny-model.ts";

/**
 * Registers vitest tests that hold the engine against the reference, against itself and against
 * the errors of the seam. Call once, at the top of a test file.
 *
 * @param traits an engine with threads of its own, unless told
 */
export function expertEngineConformance(
  open: OpenExpertEngine,
  traits: EngineTraits = { hasOwnThreads: true },
): void {
  expertTwinTests(open);
  const newPath = scratchDirectory();
  const model = tinyModel({ hiddenSize: 96, intermediateSize: 160, numExperts: 4 });
  for (const weightDtype of weightDtypes) {
    const weights = once(() =>
      writeSyntheticModel({
        path: newPath(),
        model,
        weightDtype,
        seed: fixtureSeed,
        parts: "experts",
      }),
    );
    const fixture: ExpertFixture = {
      model,
      weightDtype,
      open,
      newPath,
      threadCounts: threadCountsOf(traits),
      call: {
        layer: 1,
        expertId: toExpertId(2, model.numExperts),
        input: expertRows(model, weightDtype, { numRows: 37, seed: 5 }),
      },
      openEngine: async ({ expertIds = allExperts(model), threads = 1 } = {}) =>
        open({ model, weightDtype, weights: [await weights()], expertIds, threads }),
    };
    for (const [name, check] of Object.entries({
      ...expertInvarianceRules,
      ...expertRefusalRules,
    })) {
      test(`expert ${weightDtype}: ${name}`, () => check(fixture));
    }
  }
}

// An attention engine against itself: what must not change a bit of a sequence's logits.
import { weightDtypes } from "@octet/core";
import { test } from "vitest";
import { createAttentionFixture } from "./attention-fixture.ts";
import type { EngineTraits } from "./engine-traits.ts";
import { once } from "./once.ts";
import type { OpenAttentionEngine } from "./open-engine.ts";
import { companyRules } from "./rules-company.ts";
import { longPastModels, longPastPool, longPastRules } from "./rules-long-past.ts";
import { positionRules } from "./rules-position.ts";
import { stepRules } from "./rules-step.ts";
import { scratchDirectory } from "./scratch-directory.ts";
import { tinyModel } from "./tiny-model.ts";

const models = {
  "": { model: tinyModel(), dtypes: weightDtypes },
  // Of weights a window knows nothing: one dtype for each format of the cache and of rows.
  " window of 9": {
    model: tinyModel({ slidingWindow: 9, numExpertsPerToken: 1 }),
    dtypes: ["f32", "q8"] as const,
  },
};

export function attentionInvarianceTests(open: OpenAttentionEngine, traits: EngineTraits): void {
  const newPath = scratchDirectory();
  const rules = Object.entries({ ...companyRules, ...positionRules, ...stepRules });
  for (const [label, { model, dtypes }] of Object.entries(models)) {
    for (const weightDtype of dtypes) {
      const fixture = once(() =>
        createAttentionFixture(open, newPath(), { model, weightDtype, traits }),
      );
      for (const [name, check] of rules) {
        test(`attention ${weightDtype}${label}: ${name}`, async () => check(await fixture()));
      }
    }
  }
  for (const [label, model] of Object.entries(longPastModels)) {
    for (const weightDtype of ["f32", "bf16"] as const) {
      const options = { model, weightDtype, pool: longPastPool, traits };
      const fixture = once(() => createAttentionFixture(open, newPath(), options));
      for (const [name, check] of Object.entries(longPastRules)) {
        test(`attention ${weightDtype}${label}: ${name}`, async () => check(await fixture()));
      }
    }
  }
}

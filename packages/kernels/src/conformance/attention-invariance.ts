// An attention engine against itself: what must not change a bit of a sequence's logits.
import { weightDtypes } from "@octet/core";
import { test } from "vitest";
import { createAttentionFixture } from "./attention-fixture.ts";
import { once } from "./once.ts";
import type { OpenAttentionEngine } from "./open-engine.ts";
import { companyRules } from "./rules-company.ts";
import { longPastModels, longPastPool, longPastRules } from "./rules-long-past.ts";
import { positionRules } from "./rules-position.ts";
import { stepRules } from "./rules-step.ts";
import { scratchDirectory } from "./scratch-directory.ts";
import { tinyModel } from "./tiny-model.ts";

const models = {
  "": tinyModel(),
  " window of 9": tinyModel({ slidingWindow: 9, numExpertsPerToken: 1 }),
};

export function attentionInvarianceTests(open: OpenAttentionEngine): void {
  const newPath = scratchDirectory();
  const rules = Object.entries({ ...companyRules, ...positionRules, ...stepRules });
  for (const [label, model] of Object.entries(models)) {
    for (const weightDtype of weightDtypes) {
      const fixture = once(() => createAttentionFixture(open, newPath(), { model, weightDtype }));
      for (const [name, check] of rules) {
        test(`attention ${weightDtype}${label}: ${name}`, async () => check(await fixture()));
      }
    }
  }
  for (const [label, model] of Object.entries(longPastModels)) {
    for (const weightDtype of ["f32", "bf16"] as const) {
      const options = { model, weightDtype, pool: longPastPool };
      const fixture = once(() => createAttentionFixture(open, newPath(), options));
      for (const [name, check] of Object.entries(longPastRules)) {
        test(`attention ${weightDtype}${label}: ${name}`, async () => check(await fixture()));
      }
    }
  }
}

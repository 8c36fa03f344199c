// What every attention engine refuses, and with which code.
import { weightDtypes } from "@octet/core";
import { test } from "vitest";
import { createAttentionFixture } from "./attention-fixture.ts";
import { attentionWeightRefusalTests } from "./attention-weight-refusals.ts";
import { once } from "./once.ts";
import type { OpenAttentionEngine } from "./open-engine.ts";
import { closeRules } from "./rules-close.ts";
import { refusalRules } from "./rules-refusal.ts";
import { scratchDirectory } from "./scratch-directory.ts";
import { tinyModel } from "./tiny-model.ts";

export function attentionRefusalTests(open: OpenAttentionEngine): void {
  const newPath = scratchDirectory();
  const model = tinyModel();
  for (const weightDtype of weightDtypes) {
    const fixture = once(() => createAttentionFixture(open, newPath(), { model, weightDtype }));
    for (const [name, check] of Object.entries({ ...refusalRules, ...closeRules })) {
      test(`attention ${weightDtype}: ${name}`, async () => check(await fixture()));
    }
  }
  attentionWeightRefusalTests(open, newPath);
}

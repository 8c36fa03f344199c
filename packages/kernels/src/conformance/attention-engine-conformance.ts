// What every attention engine must do, whatever it computes on.
import { attentionInvarianceTests } from "./attention-invariance.ts";
import { attentionRefusalTests } from "./attention-refusals.ts";
import { attentionRoutingTests } from "./attention-routing.ts";
import { attentionTopLogitsTests } from "./attention-top-logits.ts";
import { attentionTwinTests } from "./attention-twin.ts";
import type { OpenAttentionEngine } from "./open-engine.ts";

/**
 * Registers vitest tests that hold the engine against the reference, against itself and against
 * the errors of the seam. Call once, at the top of a test file.
 */
export function attentionEngineConformance(open: OpenAttentionEngine): void {
  attentionTwinTests(open);
  attentionRoutingTests(open);
  attentionTopLogitsTests(open);
  attentionInvarianceTests(open);
  attentionRefusalTests(open);
}

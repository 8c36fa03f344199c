// What every attention engine must do, whatever it computes on.
import { attentionInvarianceTests } from "./attention-invariance.ts";
import { attentionRefusalTests } from "./attention-refusals.ts";
import { attentionRoutingTests } from "./attention-routing.ts";
import { attentionTopLogitsTests } from "./attention-top-logits.ts";
import { attentionTwinTests } from "./attention-twin.ts";
import type { EngineTraits } from "./engine-traits.ts";
import type { OpenAttentionEngine } from "./open-engine.ts";

/**
 * Registers vitest tests that hold the engine against the reference, against itself and against
 * the errors of the seam. Call once, at the top of a test file.
 *
 * @param traits an engine with threads of its own, unless told
 */
export function attentionEngineConformance(
  open: OpenAttentionEngine,
  traits: EngineTraits = { hasOwnThreads: true },
): void {
  attentionTwinTests(open);
  attentionRoutingTests(open);
  attentionTopLogitsTests(open);
  attentionInvarianceTests(open, traits);
  attentionRefusalTests(open);
}

// What every attention engine must do, whatever it computes on.
import type { AttentionEngine, AttentionEngineOptions } from "../attention-engine.ts";
import { attentionInvarianceTests } from "./attention-invariance.ts";
import { attentionRefusalTests } from "./attention-refusals.ts";
import { attentionRoutingTests } from "./attention-routing.ts";
import { attentionTwinTests } from "./attention-twin.ts";

/** Opens the engine under test. */
export type OpenAttentionEngine = (options: AttentionEngineOptions) => Promise<AttentionEngine>;

/**
 * Registers vitest tests that hold the engine against the reference, against itself and against
 * the errors of the seam. Call once, at the top of a test file.
 */
export function attentionEngineConformance(open: OpenAttentionEngine): void {
  attentionTwinTests(open);
  attentionRoutingTests(open);
  attentionInvarianceTests(open);
  attentionRefusalTests(open);
}

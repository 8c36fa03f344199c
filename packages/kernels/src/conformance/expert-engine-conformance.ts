// What every expert engine must do, whatever it computes on.
import type { ExpertEngine, ExpertEngineOptions } from "../expert-engine.ts";
import { expertBatchInvarianceTests } from "./expert-batch-invariance.ts";
import { expertRefusalTests } from "./expert-refusals.ts";
import { expertTwinTests } from "./expert-twin.ts";

/** Opens the engine under test. */
export type OpenExpertEngine = (options: ExpertEngineOptions) => Promise<ExpertEngine>;

/**
 * Registers vitest tests that hold the engine against the reference, against itself and against
 * the errors of the seam. Call once, at the top of a test file.
 */
export function expertEngineConformance(open: OpenExpertEngine): void {
  expertTwinTests(open);
  expertBatchInvarianceTests(open);
  expertRefusalTests(open);
}

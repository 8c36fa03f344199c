// What a suite is given: a way to open the engine under test.
import type { AttentionEngine, AttentionEngineOptions } from "../attention-engine.ts";
import type { ExpertEngine, ExpertEngineOptions } from "../expert-engine.ts";

/** Opens the expert engine under test. */
export type OpenExpertEngine = (options: ExpertEngineOptions) => Promise<ExpertEngine>;

/** Opens the attention engine under test. */
export type OpenAttentionEngine = (options: AttentionEngineOptions) => Promise<AttentionEngine>;

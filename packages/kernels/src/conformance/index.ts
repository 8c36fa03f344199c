export { attentionEngineConformance } from "./attention-engine-conformance.ts";
export { expertEngineConformance } from "./expert-engine-conformance.ts";
export type { OpenAttentionEngine, OpenExpertEngine } from "./open-engine.ts";
export { type SyntheticModelOptions, writeSyntheticModel } from "./synthetic-model.ts";
export { tinyModel } from "./tiny-model.ts";

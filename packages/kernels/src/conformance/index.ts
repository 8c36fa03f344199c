export {
  attentionEngineConformance,
  type OpenAttentionEngine,
} from "./attention-engine-conformance.ts";
export { expertEngineConformance, type OpenExpertEngine } from "./expert-engine-conformance.ts";
export { type SyntheticModelOptions, writeSyntheticModel } from "./synthetic-model.ts";
export { tinyModel } from "./tiny-model.ts";

export { expertEngineConformance, type OpenExpertEngine } from "./expert-engine-conformance.ts";
export { scratchDirectory } from "./scratch-directory.ts";
export { type SyntheticModelOptions, writeSyntheticModel } from "./synthetic-model.ts";
export { tinyModel } from "./tiny-model.ts";

export { expertEngineConformance, type OpenExpertEngine } from "./expert-engine-conformance.ts";

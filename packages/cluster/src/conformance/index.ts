export { AffineExpertEngine, affineInput, affineModel } from "./affine-expert-engine.ts";
export { expertClientConformance, type OpenExpertClient } from "./expert-client-conformance.ts";

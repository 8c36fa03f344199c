import { expertEngineConformance } from "../conformance/expert-engine-conformance.ts";
import { openReferenceExpertEngine } from "./reference-expert-engine.ts";

expertEngineConformance(openReferenceExpertEngine, { hasOwnThreads: false });

import { expertEngineConformance } from "../conformance/expert-engine-conformance.ts";
import { openCpuExpertEngine } from "./cpu-expert-engine.ts";

expertEngineConformance(openCpuExpertEngine);

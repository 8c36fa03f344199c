import { attentionEngineConformance } from "../conformance/attention-engine-conformance.ts";
import { openCpuAttentionEngine } from "./cpu-attention-engine.ts";

attentionEngineConformance(openCpuAttentionEngine);

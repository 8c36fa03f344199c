import { attentionEngineConformance } from "../conformance/attention-engine-conformance.ts";
import { openReferenceAttentionEngine } from "./reference-attention-engine.ts";

attentionEngineConformance(openReferenceAttentionEngine, { hasOwnThreads: false });

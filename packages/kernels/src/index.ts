export type {
  AttentionEngine,
  AttentionEngineOptions,
  AttentionStep,
  ExpertBatch,
  ExpertOutput,
  LayerDispatch,
  StepSequence,
} from "./attention-engine.ts";
export type {
  EngineKind,
  ExpertCall,
  ExpertEngine,
  ExpertEngineOptions,
} from "./expert-engine.ts";
export { KernelError, type KernelErrorCode } from "./kernel-error.ts";

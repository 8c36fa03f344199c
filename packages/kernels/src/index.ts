export {
  type AttentionEngine,
  type AttentionEngineOptions,
  type AttentionStep,
  type ExpertBatch,
  type ExpertOutput,
  type LayerDispatch,
  type StepSequence,
  type TopLogits,
  topLogitsMax,
} from "./attention-engine.ts";
export { openCpuAttentionEngine } from "./cpu/cpu-attention-engine.ts";
export { type CpuOptions, openCpuExpertEngine } from "./cpu/cpu-expert-engine.ts";
export { cpuIsa, supportedCpuIsas } from "./cpu/cpu-isa.ts";
export type { CpuIsa } from "./cpu/native-addon.ts";
export type {
  AnsweredCall,
  EngineKind,
  ExpertCall,
  ExpertEngine,
  ExpertEngineOptions,
  FastPath,
} from "./expert-engine.ts";
export { KernelError, type KernelErrorCode } from "./kernel-error.ts";
export { decodeActivations, encodeActivations } from "./reference/activation-rows.ts";
export { type AttentionInput, attention } from "./reference/attention.ts";
export { combine } from "./reference/combine.ts";
export { type DispatchShape, dispatch } from "./reference/dispatch.ts";
export { type Matrix, type MatrixForm, openMatrix } from "./reference/matrix.ts";
export { openReferenceAttentionEngine } from "./reference/reference-attention-engine.ts";
export { openReferenceExpertEngine } from "./reference/reference-expert-engine.ts";
export { rmsNorm } from "./reference/rms-norm.ts";
export { rope, ropeFrequencies } from "./reference/rope.ts";
export { type ExpertSelection, selectExperts } from "./reference/select-experts.ts";
export { silu } from "./reference/silu.ts";
export { selectTopLogits } from "./top-logits.ts";
export type { DeviceRates } from "./webgpu/bench/device-rates.ts";
export type { BenchedStep, KernelTiming } from "./webgpu/bench/kernel-timing.ts";
export {
  type KernelBench,
  type KernelBenchOptions,
  runKernelBench,
} from "./webgpu/bench/run-kernel-bench.ts";
export type { GpuCounts } from "./webgpu/device/counts.ts";
export type { KernelProgress } from "./webgpu/device/kernel.ts";
export { baselineLimits } from "./webgpu/device/limits.ts";
export { findSwiftShader, useSwiftShader } from "./webgpu/device/swiftshader.ts";
export type { GpuAdapter } from "./webgpu/probe/gpu-adapter.ts";
export { type GpuProbe, type GpuProbeOptions, probeGpu } from "./webgpu/probe/probe-gpu.ts";
export type { DeviceChange, ThreadCounts } from "./webgpu/thread/protocol.ts";
export { destroyGpuDevice, gpuThreadCounts } from "./webgpu/thread/thread-host.ts";
export { type CacheVariables, cacheFolder } from "./webgpu/tuning/cache-folder.ts";
export { openWebGpuAttentionEngine } from "./webgpu/webgpu-attention-engine.ts";
export { openWebGpuExpertEngine, type WebGpuOptions } from "./webgpu/webgpu-expert-engine.ts";

import { vi } from "vitest";
import { attentionEngineConformance } from "../conformance/attention-engine-conformance.ts";
import { useSwiftShader } from "./device/swiftshader.ts";
import { openWebGpuAttentionEngine } from "./webgpu-attention-engine.ts";

// SwiftShader computes, and compiles, on the cores that other tests use.
vi.setConfig({ testTimeout: 120_000 });
useSwiftShader(process.env);
attentionEngineConformance(
  (options) => openWebGpuAttentionEngine({ ...options, allowSoftwareAdapter: true }),
  { hasOwnThreads: false },
);

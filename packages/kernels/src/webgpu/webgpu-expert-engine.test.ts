import { vi } from "vitest";
import { expertEngineConformance } from "../conformance/expert-engine-conformance.ts";
import { useSwiftShader } from "./device/swiftshader.ts";
import { openWebGpuExpertEngine } from "./webgpu-expert-engine.ts";

// SwiftShader computes, and compiles, on the cores that other tests use.
vi.setConfig({ testTimeout: 600_000 });
useSwiftShader(process.env);
expertEngineConformance(
  (options) => openWebGpuExpertEngine({ ...options, allowSoftwareAdapter: true }),
  { hasOwnThreads: false },
);

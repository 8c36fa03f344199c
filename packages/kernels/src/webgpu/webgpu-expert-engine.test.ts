import { expertEngineConformance } from "../conformance/expert-engine-conformance.ts";
import { useSwiftShader } from "./device/swiftshader.ts";
import { openWebGpuExpertEngine } from "./webgpu-expert-engine.ts";

useSwiftShader(process.env);
expertEngineConformance((options) =>
  openWebGpuExpertEngine({ ...options, allowSoftwareAdapter: true }),
);

// What a service is told so that it computes on SwiftShader.
import { useSwiftShader } from "../../packages/kernels/src/webgpu/device/swiftshader.ts";

/**
 * Settings of a service that computes on the GPU engine.
 *
 * @throws {Error} if SwiftShader is not installed; the message says how to
 */
export function gpuSettings(): Record<string, string> {
  const environment: NodeJS.ProcessEnv = {};
  useSwiftShader(environment);
  return {
    OCTET_ENGINE: "webgpu",
    OCTET_ALLOW_SOFTWARE_GPU: "true",
    ...(environment as Record<string, string>),
  };
}

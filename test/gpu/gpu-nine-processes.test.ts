// A whole cluster on the GPU engine, on SwiftShader.
import { expect, test } from "vitest";
import { shardGolden, startCoordinator, TestedWorkers } from "../cluster/service-cluster.ts";
import { describeWorkers } from "./describe-workers.ts";
import { generateGolden, goldenTokens } from "./generate-golden.ts";
import { gpuSettings } from "./gpu-settings.ts";

/** Nine processes compile their shaders on two cores. */
const testMs = 300_000;
/** What a process may take to end, closing its device, on a busy machine. */
const stopMsMax = 5_000;

test(
  "nine processes on the GPU engine give transformers' greedy text, and end when they are told",
  async () => {
    await using shards = await shardGolden("plain", "f32");
    await using workers = await TestedWorkers.start(shards.index, gpuSettings());
    await using coordinator = await startCoordinator(shards.index, workers.placement, {
      ...gpuSettings(),
      OCTET_EXPERT_DEADLINE_MS: "120000", // nine processes compute on two cores
    });
    for (const { engineKind, device } of await describeWorkers(workers.workers)) {
      expect(engineKind).toBe("webgpu");
      expect(device).toMatch(/swiftshader/i);
    }
    expect(await generateGolden(coordinator.address)).toEqual(goldenTokens);
    for (const { lines } of [coordinator, ...workers.workers]) {
      const events = lines.map(({ event }) => event);
      // Calls found their kernels compiled.
      const compiled = events.lastIndexOf("gpu kernels");
      expect(compiled).toBeGreaterThan(-1);
      expect(compiled).toBeLessThan(events.indexOf("ready"));
    }

    for (const { process: service } of [coordinator, ...workers.workers]) {
      const startMs = performance.now();
      process.kill(service.pid!, "SIGTERM");
      expect(await service.exited, service.lastWords).toEqual({ code: 0, signal: null });
      expect(performance.now() - startMs).toBeLessThan(stopMsMax);
    }
  },
  testMs,
);

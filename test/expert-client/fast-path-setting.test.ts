// OCTET_FAST_PATH, from the environment to the engine.

import { findFreePorts } from "@octet/cli/free-ports";
import { toActivationRowsMessage } from "@octet/protocol";
import { parseEnvironment } from "@octet/service";
import { silentLogger } from "@octet/telemetry";
import { afterEach, expect, test, vi } from "vitest";
import { CpuFastPath } from "../../packages/kernels/src/cpu/cpu-fast-path.ts";
import { expertWorkerSettings } from "../../services/expert-worker/src/config.ts";
import { startExpertWorker } from "../../services/expert-worker/src/expert-worker.ts";
import { shardGolden } from "../cluster/service-cluster.ts";
import { seededRandom } from "../faults/seeded-random.ts";
import { RawCoordinator } from "./raw-coordinator.ts";
import { randomRows } from "./tiny-experts.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

test.each([
  [{}, true],
  [{ OCTET_FAST_PATH: "true" }, true],
  [{ OCTET_FAST_PATH: "false" }, false],
  [{ OCTET_ENGINE: "reference" }, false],
])("a worker with %o lends sockets: %s", async (settings, expected) => {
  await using shards = await shardGolden("plain", "bf16"); // its experts are as wide as tiny ones
  const [port] = await findFreePorts(1);
  const config = parseEnvironment(expertWorkerSettings, {
    OCTET_LISTEN: `127.0.0.1:${port}`,
    OCTET_SHARD_DIR: shards.index.experts[3]!.dir,
    OCTET_THREADS: "1",
    ...settings,
  });
  const loans = vi.spyOn(CpuFastPath.prototype, "borrow");
  const service = await startExpertWorker(config, silentLogger, new AbortController().signal);
  await using _stopped = { [Symbol.asyncDispose]: () => service.stop() };
  using coordinator = await RawCoordinator.open(config.OCTET_LISTEN);
  const input = toActivationRowsMessage(randomRows(seededRandom(1), "bf16", 1));
  for (const callId of [1n, 2n]) {
    await coordinator.call({ callId, expertId: 3, input });
    expect((await coordinator.answerTo(callId)).result.case).toBe("output");
  }
  expect(loans.mock.calls.length > 0).toBe(expected);
});

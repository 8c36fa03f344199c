import { toExpertId } from "@octet/core";
import { expect, test } from "vitest";
import { AffineExpertEngine, affineInput } from "./conformance/affine-expert-engine.ts";
import { expertClientConformance } from "./conformance/index.ts";
import { createInProcessExpertClient } from "./index.ts";

expertClientConformance("in-process client", async (engines) => ({
  client: createInProcessExpertClient(engines),
  stop: async () => {},
}));

const experts = [0, 1].map((id) => toExpertId(id, 4));

test("two engines that hold the same expert are refused", () => {
  const engines = [new AffineExpertEngine("f32", experts), new AffineExpertEngine("f32", experts)];
  expect(() => createInProcessExpertClient(engines)).toThrow("expert 0 is held by two engines");
});

test("waiting for the call before counts as queued, not as computed", async () => {
  const engine = new AffineExpertEngine("f32", experts);
  const client = createInProcessExpertClient([engine]);
  const call = { layer: 0, expertId: experts[0]!, input: affineInput("f32", 1, 0) };
  engine.hold();
  const both = [
    client.forward(call, { deadlineMs: 5_000 }),
    client.forward(call, { deadlineMs: 5_000 }),
  ];
  await new Promise((resolve) => setTimeout(resolve, 60));
  engine.release();
  const [first, second] = await Promise.all(both);
  expect(first!.queuedUs).toBeLessThan(20_000);
  expect(first!.computedUs).toBeGreaterThan(40_000);
  expect(second!.queuedUs).toBeGreaterThan(40_000);
  expect(second!.computedUs).toBeLessThan(20_000);
});

test("an engine that was closed is a worker that is away", async () => {
  const engine = new AffineExpertEngine("f32", experts);
  const client = createInProcessExpertClient([engine]);
  await engine.close();
  const call = { layer: 0, expertId: experts[0]!, input: affineInput("f32", 1, 0) };
  await expect(client.forward(call, { deadlineMs: 5_000 })).rejects.toMatchObject({
    code: "unavailable",
  });
});

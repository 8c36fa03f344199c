// What every ExpertClient must do, wherever its experts are.
import { type ExpertId, toExpertId, type WeightDtype, weightDtypes } from "@octet/core";
import { ExpertCallError, type ExpertClient } from "@octet/engine";
import type { ExpertEngine } from "@octet/kernels";
import { expect, test } from "vitest";
import { AffineExpertEngine, affineInput, affineModel } from "./affine-expert-engine.ts";

/** Builds a client that asks `engines`, which between them hold every expert of the model. */
export type OpenExpertClient = (
  engines: readonly ExpertEngine[],
) => Promise<{ readonly client: ExpertClient; stop(): Promise<void> }>;

const { numExperts, numLayers } = affineModel;
const patient = { deadlineMs: 20_000 };

function expert(id: number): ExpertId {
  return toExpertId(id, numExperts);
}

interface Cluster {
  readonly client: ExpertClient;
  /** The engine that holds experts 0 and 1; the other holds 2 and 3. */
  readonly engine: AffineExpertEngine;
  readonly other: AffineExpertEngine;
  /** What the right engine answers when asked directly. */
  askDirectly: ExpertEngine["forward"];
}

async function withCluster(
  open: OpenExpertClient,
  weightDtype: WeightDtype,
  check: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  const engine = new AffineExpertEngine(weightDtype, [expert(0), expert(1)]);
  const other = new AffineExpertEngine(weightDtype, [expert(2), expert(3)]);
  const { client, stop } = await open([engine, other]);
  try {
    const twin = new AffineExpertEngine(weightDtype, [0, 1, 2, 3].map(expert));
    await check({ client, engine, other, askDirectly: (call) => twin.forward(call) });
  } finally {
    engine.release();
    await client.close();
    await stop();
  }
}

async function codeOf(reply: Promise<unknown>): Promise<string> {
  const error = await reply.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ExpertCallError);
  return (error as ExpertCallError).code;
}

/** Registers the suite's tests for one implementation. */
export function expertClientConformance(name: string, open: OpenExpertClient): void {
  answersAreTheEngines(name, open);
  boundsHold(name, open);
  refusalsAreTyped(name, open);
  closingEndsEverything(name, open);
}

function answersAreTheEngines(name: string, open: OpenExpertClient): void {
  test.each(weightDtypes)(`${name}: %s answers equal the engine's, bitwise`, (dtype) =>
    withCluster(open, dtype, async ({ client, askDirectly }) => {
      for (const rows of [1, 3, 17, 1024]) {
        const call = {
          layer: 2,
          expertId: expert(rows % 4),
          input: affineInput(dtype, rows, rows),
        };
        const { output, ...who } = await client.forward(call, patient);
        const direct = await askDirectly(call);
        expect({ ...output, data: Buffer.from(output.data) }).toEqual({
          ...direct,
          data: Buffer.from(direct.data),
        });
        expect(who.workerId).not.toBe("");
        expect(who.address).not.toBe("");
        for (const us of [who.queuedUs, who.computedUs]) {
          expect(Number.isInteger(us) && us >= 0).toBe(true);
        }
      }
    }),
  );

  test(`${name}: of 1,000 interleaved calls each gets its own answer`, () =>
    withCluster(open, "bf16", async ({ client, askDirectly }) => {
      const calls = Array.from({ length: 1_000 }, (_, i) => ({
        layer: i % numLayers,
        expertId: expert((i * 5) % numExperts),
        input: affineInput("bf16", 1 + (i % 3), i),
      }));
      const replies = await Promise.all(calls.map((call) => client.forward(call, patient)));
      for (const [i, { output }] of replies.entries()) {
        const direct = await askDirectly(calls[i]!);
        expect(Buffer.compare(output.data, direct.data)).toBe(0);
      }
    }));

  test(`${name}: many calls may share one abort signal`, () =>
    withCluster(open, "f32", async ({ client }) => {
      const warnings: Error[] = [];
      const onWarning = (warning: Error) => warnings.push(warning);
      process.on("warning", onWarning);
      const { signal } = new AbortController();
      const call = { layer: 0, expertId: expert(0), input: affineInput("f32", 1, 0) };
      const bounds = { ...patient, signal };
      await Promise.all(Array.from({ length: 100 }, () => client.forward(call, bounds)));
      process.off("warning", onWarning);
      expect(warnings).toEqual([]);
    }));
}

function boundsHold(name: string, open: OpenExpertClient): void {
  const call = { layer: 0, expertId: expert(0), input: affineInput("f32", 2, 1) };

  test(`${name}: a call settles by its deadline whatever the engine does`, () =>
    withCluster(open, "f32", async ({ client, engine }) => {
      await client.forward(call, patient); // the time starts with the worker connected
      engine.hold();
      const startedAtMs = performance.now();
      const late = client.forward(call, { deadlineMs: 150 });
      expect(await codeOf(late)).toBe("deadline-exceeded");
      expect(performance.now() - startedAtMs).toBeLessThan(1_500);
      engine.release();
      await client.forward(call, patient);
    }));

  test(`${name}: aborting rejects the call at once and no other`, () =>
    withCluster(open, "f32", async ({ client, engine, other }) => {
      engine.hold();
      other.hold();
      const abort = new AbortController();
      const bounds = { ...patient, signal: abort.signal };
      const computing = client.forward(call, bounds);
      await expect.poll(() => engine.callsBegun).toBe(1);
      const queued = client.forward(call, bounds);
      const kept = client.forward({ ...call, expertId: expert(2) }, patient);
      abort.abort();
      expect(await codeOf(computing)).toBe("cancelled");
      expect(await codeOf(queued)).toBe("cancelled");
      expect(await codeOf(client.forward(call, bounds))).toBe("cancelled");
      engine.release();
      other.release();
      await kept;
      await client.forward(call, patient);
    }));

  test(`${name}: an expert that hangs holds up no other worker's experts`, () =>
    withCluster(open, "f32", async ({ client, engine }) => {
      engine.hold();
      const stuck = client.forward(call, patient);
      await client.forward({ ...call, expertId: expert(3) }, patient);
      engine.release();
      await stuck;
    }));
}

function refusalsAreTyped(name: string, open: OpenExpertClient): void {
  const input = affineInput("f32", 2, 1);
  const call = { layer: 0, expertId: expert(0), input };
  const halfRow = { ...input, data: input.data.subarray(0, input.data.length - 1) };
  const nan = { ...input, data: new Uint8Array(input.data).fill(0xff) };
  test.each<[string, object, string]>([
    ["a layer the model has not", { layer: numLayers }, "not-held"],
    ["a negative layer", { layer: -1 }, "not-held"],
    ["an expert nobody holds", { expertId: numExperts }, "not-held"],
    ["another dtype", { input: affineInput("bf16", 2, 1) }, "bad-shape"],
    ["another width", { input: { ...input, width: 32, rows: 4 } }, "bad-shape"],
    ["no rows", { input: { ...input, rows: 0, data: new Uint8Array() } }, "bad-shape"],
    ["more rows than the limit", { input: affineInput("f32", 1025, 1) }, "bad-shape"],
    ["a byte too few", { input: halfRow }, "bad-shape"],
    ["NaN", { input: nan }, "non-finite"],
  ])(`${name}: a call with %s is refused, and the next one is answered`, (_what, change, code) =>
    withCluster(open, "f32", async ({ client }) => {
      const refused = client.forward({ ...call, ...change }, patient);
      expect(await codeOf(refused)).toBe(code);
      await client.forward(call, patient);
    }),
  );

  test(`${name}: an engine that breaks fails its calls as internal`, () =>
    withCluster(open, "f32", async ({ client, engine }) => {
      engine.forward = () => Promise.reject(new Error("a bug in the engine"));
      expect(await codeOf(client.forward(call, patient))).toBe("internal");
      await client.forward({ ...call, expertId: expert(2) }, patient);
    }));

  test(`${name}: an error names the expert, the layer and the worker`, () =>
    withCluster(open, "f32", async ({ client }) => {
      const refused = client.forward({ ...call, layer: 1, input: nan }, patient);
      await expect(refused).rejects.toMatchObject({ expertId: 0, layer: 1 });
      await expect(refused).rejects.toThrow(/^\[non-finite\] expert 0 on \S+, layer 1: /);
    }));
}

function closingEndsEverything(name: string, open: OpenExpertClient): void {
  const call = { layer: 0, expertId: expert(0), input: affineInput("f32", 2, 1) };

  test(`${name}: closing cancels what is under way and what comes after`, () =>
    withCluster(open, "f32", async ({ client, engine }) => {
      engine.hold();
      const underWay = codeOf(client.forward(call, patient));
      await expect.poll(() => engine.callsBegun).toBe(1);
      await client.close();
      expect(await underWay).toBe("cancelled");
      expect(await codeOf(client.forward(call, patient))).toBe("cancelled");
      await client.close();
    }));
}

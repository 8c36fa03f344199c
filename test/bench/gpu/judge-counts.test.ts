import { expect, test } from "vitest";
import { mixtralWidth } from "../model/mixtral-width.ts";
import { countedModel, type DecodeCounts } from "./count-decode.ts";
import { formatBytesPerToken } from "./format-bytes.ts";
import { judgeCounts } from "./judge-counts.ts";

const [tokens, layers] = [2, 3];
const bytes = formatBytesPerToken(countedModel, "q4") * tokens;
const rest = { weightBytesRead: 0, cacheBytesRead: 0, objectsCreated: 0, kernelsCompiled: 0 };
const right: DecodeCounts = {
  device: "a GPU",
  tokens,
  layers,
  expertCalls: 12,
  kernelsCompiled: 0,
  coordinator: { dispatches: 48, submits: 6, readBacks: 6, ...rest, weightBytesRead: bytes },
  worker: { dispatches: 24, submits: 12, readBacks: 12, ...rest },
  finish: { dispatches: 8, submits: 2, readBacks: 2, ...rest },
};

test("counts are given a token and layer, and a call", () => {
  expect(judgeCounts(countedModel, "q4", right)).toMatchObject({
    name: "gpu-counts-q4",
    coordinator: { dispatches: 8, submits: 1, readBacks: 1 },
    worker: { dispatches: 2, submits: 1, readBacks: 1 },
    finish: { dispatches: 4, submits: 1, readBacks: 1 },
    dispatchesPerLayer: 10,
    weightBytesRatio: 1,
    objectsCreated: 0,
    kernelsCompiled: 0,
    exceeded: [],
    met: true,
  });
});

test.each<[string, "coordinator" | "worker" | "finish", Partial<DecodeCounts["worker"]>]>([
  ["dispatches a layer", "coordinator", { dispatches: 54 }],
  ["dispatches a layer", "worker", { dispatches: 36 }],
  ["submits a layer at the coordinator", "coordinator", { submits: 7 }],
  ["submits a layer at the worker", "worker", { submits: 13 }],
  ["read-backs a layer at the coordinator", "coordinator", { readBacks: 12 }],
  ["read-backs a layer at the worker", "worker", { readBacks: 24 }],
  ["share of weight bytes", "worker", { weightBytesRead: bytes * 0.031 }],
  ["share of weight bytes", "coordinator", { weightBytesRead: bytes * 0.96 }],
  ["objects created", "finish", { objectsCreated: 1 }],
])("%s beyond the limit, at the %s, is told", (what, side, more) => {
  const counts = { ...right, [side]: { ...right[side], ...more } };
  const { exceeded, met } = judgeCounts(countedModel, "q4", counts);
  expect(met).toBe(false);
  expect(exceeded).toHaveLength(1);
  expect(exceeded[0]).toContain(what);
});

test("a kernel that a call had to compile is told", () => {
  const { exceeded } = judgeCounts(countedModel, "q4", { ...right, kernelsCompiled: 1 });
  expect(exceeded).toEqual(["kernels compiled by calls: expected at most 0, found 1"]);
});

test("weights of a format take what its blocks take", () => {
  // Mixtral 8x7B: 12.7 of 46.7 thousand million weights a token, 4.5 bits each, norms and gates aside.
  const perWeight = formatBytesPerToken(mixtralWidth(32), "q4") / 12.75e9;
  expect(perWeight).toBeGreaterThan(0.5625);
  expect(perWeight).toBeLessThan(0.5625 * 1.01);
});

import { type LentSocket, type SocketLoan, toExpertId } from "@octet/core";
import { expect, test } from "vitest";
import { scratchDirectory } from "../conformance/scratch-directory.ts";
import { writeSyntheticModel } from "../conformance/synthetic-model.ts";
import { tinyModel } from "../conformance/tiny-model.ts";
import { openCpuExpertEngine } from "./cpu-expert-engine.ts";

const newPath = scratchDirectory();

/** A fast path of one expert in f32, with rows as wide as they may be or not. */
async function openFastPath(hiddenSize: number) {
  const model = tinyModel({ hiddenSize, intermediateSize: 32, numLayers: 1, numExperts: 2 });
  const facts = { model, weightDtype: "f32", seed: 1 } as const;
  const weights = [await writeSyntheticModel({ ...facts, path: newPath(), parts: "experts" })];
  const expertIds = [toExpertId(1, 2)];
  const engine = await openCpuExpertEngine({ ...facts, weights, expertIds, threads: 1 });
  return { fastPath: engine.fastPath!, [Symbol.asyncDispose]: () => engine.close() };
}

const loan: SocketLoan = {
  fd: 2 ** 30,
  streamId: 1,
  frameBytesMax: 2 ** 20,
  receiveBytesMax: 2 ** 20,
  sendBytesMax: 2 ** 20,
};
const onReturned = () => expect.fail("nothing was lent");

test("a socket that cannot be lent is left to its lender, as often as it tries", async () => {
  await using opened = await openFastPath(64);
  const { fastPath } = opened;
  const lent: (LentSocket | undefined)[] = [];
  for (let i = 0; i < 3; i++) lent.push(fastPath.borrow(loan, onReturned));
  expect(lent).toEqual([undefined, undefined, undefined]);
  expect(fastPath.takeAnswered()).toEqual([]);
});

test("calls are of 64 rows at most, and of no more than half a megabyte", async () => {
  await using narrow = await openFastPath(64);
  await using wide = await openFastPath(16_384);
  expect(narrow.fastPath.rowsMax).toBe(64);
  expect(wide.fastPath.rowsMax).toBe(8);
});

test("a fast path that is closed takes no sockets", async () => {
  await using opened = await openFastPath(64);
  const { fastPath } = opened;
  await opened[Symbol.asyncDispose]();
  expect(fastPath.borrow({ ...loan, fd: 1 }, onReturned)).toBeUndefined();
  expect(fastPath.takeAnswered()).toEqual([]);
});

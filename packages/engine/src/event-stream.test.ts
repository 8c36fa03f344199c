import { expect, test } from "vitest";
import { EventStream } from "./event-stream.ts";
import type { GenerateDelta, GenerateFinished } from "./generate-event.ts";

const scored = (tokenId: number) => ({
  chosen: { tokenId, logprob: -tokenId },
  rank: 1,
  top: [],
});
const delta = (text: string, ...tokenIds: number[]): GenerateDelta => ({
  kind: "delta",
  index: 0,
  text,
  tokenIds,
  logprobs: tokenIds.map(scored),
});
const finished: GenerateFinished = {
  kind: "finished",
  index: 0,
  reason: "length",
  stopString: undefined,
  usage: { promptTokens: 1, cachedPromptTokens: 0, completionTokens: 1 },
  stopTokenId: undefined,
  timings: { queuedUs: 0, prefillUs: 0, decodeUs: 0 },
  experts: [],
  routedExperts: undefined,
};
const unexpected = () => {
  throw new Error("abandoned");
};

test("deltas that wait become one; those that were read stay apart", async () => {
  const stream = new EventStream(unexpected);
  stream.push(delta("a", 1));
  stream.push(delta("b", 2));
  expect((await stream.next()).value).toEqual(delta("ab", 1, 2));
  stream.push(delta("c", 3));
  stream.push(finished);
  expect((await stream.next()).value).toEqual(delta("c", 3));
  expect((await stream.next()).value).toEqual(finished);
  expect((await stream.next()).done).toBe(true);
});

test("a writer's delta is not changed by the ones that join it", async () => {
  const stream = new EventStream(unexpected);
  const first = delta("a", 1);
  stream.push(first);
  stream.push(delta("b", 2));
  expect(first).toEqual(delta("a", 1));
});

test("a reader who waits gets the event when it comes", async () => {
  const stream = new EventStream(unexpected);
  const reads = [stream.next(), stream.next(), stream.next()];
  stream.push(delta("a", 1));
  stream.push(finished);
  expect(await Promise.all(reads)).toEqual([
    { done: false, value: delta("a", 1) },
    { done: false, value: finished },
    { done: true, value: undefined },
  ]);
});

test("a failure comes once, after the events before it", async () => {
  const stream = new EventStream(unexpected);
  stream.push(delta("a", 1));
  stream.fail(new Error("broken"));
  stream.push(delta("b", 2));
  expect((await stream.next()).value).toEqual(delta("a", 1));
  await expect(stream.next()).rejects.toThrow("broken");
  expect((await stream.next()).done).toBe(true);
});

test("leaving before the end is noticed once, and leaving after it is nothing", async () => {
  let timesLeft = 0;
  const stream = new EventStream(() => {
    timesLeft += 1;
  });
  const waiting = stream.next();
  await stream.return();
  await stream.return();
  expect((await waiting).done).toBe(true);
  expect(timesLeft).toBe(1);
  const complete = new EventStream(unexpected);
  complete.push(finished);
  await complete.return();
  expect((await complete.next()).done).toBe(true);
});

test("of progress that waits the last stays", async () => {
  const stream = new EventStream(unexpected);
  const progress = (computedTokens: number) =>
    ({ kind: "progress", promptTokens: 9, cachedTokens: 0, computedTokens }) as const;
  stream.push(progress(3));
  stream.push(progress(6));
  stream.push(delta("a", 1));
  expect((await stream.next()).value).toEqual(progress(6));
  expect((await stream.next()).value).toEqual(delta("a", 1));
});

test("deltas of several answers join their own, and the last to finish is the end", async () => {
  const stream = new EventStream(unexpected, 2);
  stream.push(delta("a", 1));
  stream.push({ ...delta("x", 7), index: 1 });
  stream.push(delta("b", 2));
  stream.push({ ...delta("y", 8), index: 1 });
  stream.push({ ...finished, index: 1 });
  stream.push(delta("c", 3));
  stream.push(finished);
  stream.push(delta("d", 4));
  const events = [];
  for await (const event of stream) events.push(event);
  expect(events).toEqual([
    delta("abc", 1, 2, 3),
    { ...delta("xy", 7, 8), index: 1 },
    { ...finished, index: 1 },
    finished,
  ]);
});

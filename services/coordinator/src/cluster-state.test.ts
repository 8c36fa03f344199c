import { expect, test, vi } from "vitest";
import { ClusterStateFeed } from "./cluster-state.ts";

function feedOf(state: { model: string }) {
  return new ClusterStateFeed(() => ({ ...state, scheduler: { running: 0 } }));
}

test("the version is another exactly if anything is", () => {
  const state = { model: "a" };
  const feed = feedOf(state);
  expect(feed.now().version).toBe(1n);
  expect(feed.now().version).toBe(1n);
  state.model = "b";
  expect(feed.now()).toEqual({ model: "b", scheduler: { running: 0 }, version: 2n });
});

test("who watches is told at once and of each change; who is slow, of the last alone", async () => {
  const state = { model: "a" };
  const feed = feedOf(state);
  const watch = feed.watch(new AbortController().signal);
  expect((await watch.next()).value).toMatchObject({ model: "a", version: 1n });
  for (const model of ["b", "c", "d"]) {
    state.model = model;
    feed.now(); // others see each of them
  }
  expect((await watch.next()).value).toMatchObject({ model: "d", version: 4n });
  const pending = watch.next();
  state.model = "e";
  expect((await pending).value).toMatchObject({ model: "e" });
  await watch.return();
});

test("a state that has not changed is not sent again", async () => {
  let reads = 0;
  let model = "a";
  const feed = new ClusterStateFeed(() => {
    reads += 1;
    return { model };
  });
  const watch = feed.watch(new AbortController().signal);
  await watch.next();
  const pending = watch.next();
  await vi.waitFor(() => expect(reads).toBeGreaterThan(2), { timeout: 10_000 });
  model = "b";
  expect((await pending).value).toMatchObject({ model: "b", version: 2n });
  await watch.return();
});

test("too many watchers are refused, until one leaves", async () => {
  const feed = feedOf({ model: "a" });
  const { signal } = new AbortController();
  const watches = Array.from({ length: 64 }, () => feed.watch(signal));
  for (const watch of watches) await watch.next();
  await expect(feed.watch(signal).next()).rejects.toMatchObject({ reason: "overloaded" });
  await watches[0]!.return();
  expect((await feed.watch(signal).next()).done).toBe(false);
});

test("a watch ends when its reader goes, or with the coordinator", async () => {
  const feed = feedOf({ model: "a" });
  const gone = new AbortController();
  const [first, second] = [feed.watch(gone.signal), feed.watch(new AbortController().signal)];
  await Promise.all([first.next(), second.next()]);
  const ends = [first.next(), second.next()];
  gone.abort();
  await expect(ends[0]).rejects.toThrow("aborted");
  feed.close();
  await expect(ends[1]).rejects.toMatchObject({ reason: "unavailable" });
});

import type { ExpertId } from "@octet/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CallQueue } from "./call-queue.ts";

interface Call {
  readonly id: number;
  readonly layer: number;
  readonly expertId: ExpertId;
  readonly input: { readonly rows: number };
  readonly expiresAtMs: number;
}

let nextId = 0;
function call(layer: number, expert: number, rows = 1, expiresAtMs = 1_000): Call {
  return { id: nextId++, layer, expertId: expert as ExpertId, input: { rows }, expiresAtMs };
}

const limits = { nowMs: 0, rowsMax: 8 };

test("calls for the same expert of a layer go together, in the order they came", () => {
  const queue = new CallQueue<Call>();
  const [a, b, c, d] = [call(0, 1), call(0, 2), call(0, 1), call(1, 1)];
  for (const each of [a, b, c, d]) queue.add(each);
  expect(queue.take(limits).batch).toEqual([a, c]);
  expect(queue.take(limits).batch).toEqual([b]);
  expect(queue.take(limits).batch).toEqual([d]);
  expect(queue.take(limits).batch).toEqual([]);
});

test("a group too large for one turn lets the others have theirs first", () => {
  const queue = new CallQueue<Call>();
  const [a, b, other] = [call(0, 1, 5), call(0, 1, 5), call(0, 2)];
  for (const each of [a, b, other]) queue.add(each);
  expect(queue.take(limits).batch).toEqual([a]);
  expect(queue.take(limits).batch).toEqual([other]);
  expect(queue.take(limits).batch).toEqual([b]);
});

test("a call with more rows than a turn is taken alone rather than never", () => {
  const queue = new CallQueue<Call>();
  const [large, small] = [call(0, 1, 99), call(0, 1)];
  queue.add(large);
  queue.add(small);
  expect(queue.take(limits).batch).toEqual([large]);
  expect(queue.take(limits).batch).toEqual([small]);
});

test("a call whose time has run out is never in a batch", () => {
  const queue = new CallQueue<Call>();
  const [late, fresh] = [call(0, 1, 8, 10), call(0, 1, 8, 11)];
  queue.add(late);
  queue.add(fresh);
  expect(queue.take({ nowMs: 10, rowsMax: 8 })).toEqual({ batch: [fresh], late: [late] });
});

test("every call added is taken once, or removed, or still waits", () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("add" as const),
      layer: fc.nat(2),
      expert: fc.nat(2),
      rows: fc.integer({ min: 1, max: 12 }),
      expiresAtMs: fc.nat(20),
    }),
    fc.record({ kind: fc.constant("remove" as const), index: fc.nat(20) }),
    fc.record({ kind: fc.constant("take" as const), rowsMax: fc.integer({ min: 1, max: 16 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new CallQueue<Call>();
      const waiting = new Set<Call>();
      for (const [nowMs, each] of steps.entries()) {
        if (each.kind === "add") {
          const added = call(each.layer, each.expert, each.rows, each.expiresAtMs);
          queue.add(added);
          waiting.add(added);
        } else if (each.kind === "remove") {
          const target = [...waiting][each.index];
          if (target !== undefined) expect(queue.remove(target)).toBe(waiting.delete(target));
          if (target !== undefined) expect(queue.remove(target)).toBe(false);
        } else {
          const { batch, late } = queue.take({ nowMs, rowsMax: each.rowsMax });
          const rows = batch.reduce((sum, { input }) => sum + input.rows, 0);
          expect(batch.length <= 1 || rows <= each.rowsMax).toBe(true);
          expect(new Set(batch.map((b) => `${b.layer}/${b.expertId}`)).size).toBeLessThan(2);
          expect(batch.every((b) => b.expiresAtMs > nowMs)).toBe(true);
          expect(late.every((l) => l.expiresAtMs <= nowMs)).toBe(true);
          for (const taken of [...batch, ...late]) expect(waiting.delete(taken)).toBe(true);
          expect(batch.length + late.length > 0 || waiting.size === 0).toBe(true);
        }
        expect(queue.size).toBe(waiting.size);
      }
    }),
  );
});

test("no call waits for more turns than there were calls before it", () => {
  const groups = fc.array(fc.record({ expert: fc.nat(3), rows: fc.integer({ min: 1, max: 8 }) }));
  fc.assert(
    fc.property(groups, (before) => {
      const queue = new CallQueue<Call>();
      for (const { expert, rows } of before) queue.add(call(0, expert, rows));
      const last = call(5, 0);
      queue.add(last);
      let turns = 0;
      for (let done = false; !done; turns++) {
        done = queue.take(limits).batch.includes(last);
        queue.add(call(0, 0, 8)); // company that never stops coming
      }
      expect(turns).toBeLessThanOrEqual(before.length + 1);
    }),
  );
});

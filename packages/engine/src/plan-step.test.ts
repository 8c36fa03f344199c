import assert from "node:assert/strict";
import fc from "fast-check";
import { expect, test } from "vitest";
import { planStep } from "./plan-step.ts";

interface Simulated {
  readonly id: number;
  phase: "prefill" | "decode";
  pendingTokens: number;
  decodesLeft: number;
}

const sequences = fc
  .array(fc.record({ prompt: fc.integer({ min: 1, max: 40 }), decodes: fc.nat({ max: 9 }) }), {
    maxLength: 8,
  })
  .map((shapes) =>
    shapes.map(
      ({ prompt, decodes }, id): Simulated => ({
        id,
        phase: "prefill",
        pendingTokens: prompt,
        decodesLeft: decodes,
      }),
    ),
  );
const budget = fc.integer({ min: 8, max: 24 });

/** Applies one step to the sequences; returns those that go on. */
function advance(plan: ReturnType<typeof planStep<Simulated>>, active: Simulated[]): Simulated[] {
  for (const { sequence, numTokens } of plan) {
    sequence.pendingTokens -= numTokens;
    if (sequence.pendingTokens > 0) continue;
    if (sequence.phase === "decode") sequence.decodesLeft -= 1;
    sequence.phase = "decode";
    sequence.pendingTokens = 1;
  }
  return active.filter((s) => s.phase === "prefill" || s.decodesLeft > 0);
}

test("a step keeps its budget and gives no sequence more than it has", () => {
  fc.assert(
    fc.property(sequences, budget, (all, stepTokensMax) => {
      for (let active = all; active.length > 0; ) {
        const plan = planStep(active, stepTokensMax);
        const total = plan.reduce((sum, chunk) => sum + chunk.numTokens, 0);
        assert(total <= stepTokensMax);
        assert.equal(new Set(plan.map((chunk) => chunk.sequence.id)).size, plan.length);
        for (const { sequence, numTokens } of plan) {
          assert(numTokens >= 1 && numTokens <= sequence.pendingTokens);
        }
        active = advance(plan, active);
      }
    }),
  );
});

test("every decode and the first prefill advance in every step, so all end", () => {
  fc.assert(
    fc.property(sequences, budget, (all, stepTokensMax) => {
      for (let active = all; active.length > 0; ) {
        const plan = planStep(active, stepTokensMax);
        const planned = new Set(plan.map((chunk) => chunk.sequence));
        assert(active.filter((s) => s.phase === "decode").every((s) => planned.has(s)));
        const firstPrefill = active.find((s) => s.phase === "prefill");
        assert(firstPrefill === undefined || planned.has(firstPrefill));
        active = advance(plan, active);
      }
    }),
  );
});

test("the budget is spent whenever there is work for it", () => {
  fc.assert(
    fc.property(sequences, budget, (all, stepTokensMax) => {
      const total = planStep(all, stepTokensMax).reduce((sum, chunk) => sum + chunk.numTokens, 0);
      const pending = all.reduce((sum, sequence) => sum + sequence.pendingTokens, 0);
      assert.equal(total, Math.min(pending, stepTokensMax));
    }),
  );
});

test("decodes come before prefills, and an earlier prefill before a later one", () => {
  const first = { id: 0, phase: "prefill", pendingTokens: 6 } as const;
  const second = { id: 1, phase: "prefill", pendingTokens: 6 } as const;
  const decode = { id: 2, phase: "decode", pendingTokens: 1 } as const;
  expect(planStep([first, second, decode], 9)).toEqual([
    { sequence: decode, numTokens: 1 },
    { sequence: first, numTokens: 6 },
    { sequence: second, numTokens: 2 },
  ]);
  expect(planStep([first, second, decode], 7)).toEqual([
    { sequence: decode, numTokens: 1 },
    { sequence: first, numTokens: 6 },
  ]);
});

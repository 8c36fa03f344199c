// The kernels that use subgroups give the bits of those that use none, whatever the subgroup's size.
import assert from "node:assert/strict";
import { expect, test, vi } from "vitest";
import { assertSameBits } from "../conformance/compare.ts";
import { once } from "../conformance/once.ts";
import { normalValues, seededRandom } from "../conformance/seeded-random.ts";
import type { KernelForm } from "./device/kernel.ts";
import { areUsual, type SeenThread } from "./device/subgroups.ts";
import { countBarriers } from "./testing/count-barriers.ts";
import { type KernelInput, runKernel } from "./testing/run-kernel.ts";
import { sharedSwiftShaderDevice, swiftShaderDevices } from "./testing/swiftshader-device.ts";

// SwiftShader computes, and compiles, on the cores that other tests use.
vi.setConfig({ testTimeout: 600_000 });
const newDevice = swiftShaderDevices();
const openBoth = once(async () => ({
  variant: await sharedSwiftShaderDevice(),
  baseline: await newDevice({ withoutSubgroups: true }),
}));

/** Fails unless both kernels leave the same in every buffer, and change something. */
async function assertSame(form: KernelForm, input: KernelInput, what: string): Promise<void> {
  const { variant, baseline } = await openBoth();
  const expected = await runKernel(baseline, form, input);
  const before = Buffer.concat(input.buffers.map(({ buffer }) => new Uint8Array(buffer)));
  assert(Buffer.compare(before, expected) !== 0, `${what}: something changes`);
  assertSameBits(await runKernel(variant, form, input), expected, what);
}

const random = seededRandom(11);

/** At least `count` normal values, as words in whole 16 bytes. */
function normalWords(count: number): Uint32Array<ArrayBuffer> {
  return new Uint32Array(normalValues(random, Math.ceil(count / 4) * 4).buffer as ArrayBuffer);
}

/** As many pairs of normal bf16 values. */
function bf16Pairs(count: number): Uint32Array<ArrayBuffer> {
  const upper = normalWords(count);
  return normalWords(count).map((word, i) => (upper[i]! & 0xffff0000) | (word >>> 16));
}

function zeros(count: number): Uint32Array<ArrayBuffer> {
  return new Uint32Array(Math.ceil(count / 4) * 4);
}

test("a device with subgroups takes the variants, and only if it may", async () => {
  const { variant, baseline } = await openBoth();
  expect(variant.kernels.variants.usesSubgroups).toBe(true);
  expect(baseline.kernels.variants.usesSubgroups).toBe(false);
});

test("subgroups of no usual size or order are seen", () => {
  const usual = (size: number) =>
    Array.from({ length: 256 }, (_, lane): SeenThread => [lane, size, lane ^ 1, lane ^ (size / 2)]);
  for (const size of [4, 8, 16, 32, 64]) {
    expect(areUsual(usual(size))).toBe(true);
    expect(areUsual(usual(size).toReversed())).toBe(true);
  }
  for (const size of [1, 2, 12, 128]) expect(areUsual(usual(size))).toBe(false);
  const [lane, size, near, far] = usual(8)[7]!;
  for (const odd of [
    [lane - 1, size, near, far],
    [lane + 256, size, near, far],
    [lane, 4, near, far],
    [lane, size, near + 1, far],
    [lane, size, near, far + 1],
  ] satisfies SeenThread[]) {
    expect(areUsual(usual(8).with(7, odd)), String(odd)).toBe(false);
  }
  expect(areUsual([])).toBe(false);
});

for (const [lanes, format] of [
  [64, 0],
  [64, 2],
  [256, 1],
  [256, 2],
] as const) {
  test(`combine-norm, ${lanes} lanes, format ${format}`, async () => {
    const bindings = [..."wrrrrwww"].map((letter) => (letter === "r" ? "read" : "write"));
    for (const [isBf16, ontoZero] of [
      [0, 0],
      [1, 1],
    ]) {
      const form: KernelForm = {
        shader: "combine-norm",
        constants: { INPUT_BF16: isBf16!, ONTO_ZERO: ontoZero!, LANES: lanes, FORMAT: format },
        bindings,
        parameterWords: 6,
      };
      for (const width of format === 2 ? [32, 1056, 4096] : [7, 32, 1055, 4096]) {
        const stride = Math.ceil(width / 32) * 32;
        for (const fault of [0, 0x7fc00000]) {
          const residual = normalWords(3 * stride);
          const norm = normalWords(width);
          // Of one row of three; of the last element, which has a lane of its own.
          const input = isBf16 ? bf16Pairs(3 * stride) : normalWords(3 * stride);
          if (fault !== 0) input[2 * stride + (isBf16 ? Math.ceil(width / 2) : width) - 1] = fault;
          const weight = new Uint32Array(Float32Array.of(0.3).buffer)[0]!;
          const routes = Uint32Array.of(
            0,
            weight,
            1,
            weight,
            1,
            weight,
            0,
            weight,
            2,
            weight,
            1,
            weight,
          );
          const eps = new Uint32Array(Float32Array.of(1e-5).buffer)[0]!;
          const rowWords = format === 2 ? (stride / 32) * 9 : stride;
          await assertSame(
            form,
            {
              buffers: [
                ...[residual, input, routes, Uint32Array.of(2, 0, 1, 0), norm],
                ...[zeros(3 * rowWords), zeros(3 * width), zeros(3)],
              ],
              parameters: Uint32Array.of(width, stride, 2, stride, rowWords, eps),
              workgroups: [3, 1],
            },
            `${width} wide, ${JSON.stringify(form.constants)}, fault ${fault}`,
          );
        }
      }
    }
  });
}

for (const lanes of [64, 256]) {
  test(`gate, ${lanes} lanes`, async () => {
    const form: KernelForm = {
      shader: "gate",
      constants: { LANES: lanes },
      bindings: ["read", "read", "read", "write"],
      parameterWords: 3,
    };
    for (const [width, experts, perToken] of [
      [7, 3, 1],
      [96, 8, 2],
      [1055, 13, 8],
      [4096, 64, 4],
    ] as const) {
      await assertSame(
        form,
        {
          buffers: [
            normalWords(5 * width),
            normalWords(experts * width),
            Uint32Array.of(0, 1, 0, 0, 0, 0, 0, 0),
            zeros(5 * (2 * perToken + 1)),
          ],
          parameters: Uint32Array.of(width, experts, perToken),
          workgroups: [5, 1],
        },
        `${width} wide, ${perToken} of ${experts}`,
      );
    }
  });
}

for (const withIds of [false, true]) {
  test(`select-largest, ${withIds ? "with" : "without"} ids`, async () => {
    const form: KernelForm = {
      shader: "select-largest",
      constants: { IDS: Number(withIds) },
      bindings: ["read", "write", "write"],
      parameterWords: 4,
    };
    for (const [candidates, slice, chosen] of [
      [7, 7, 9],
      [96, 96, 1],
      [2500, 1024, 20],
      [600, 600, 5],
    ] as const) {
      const logits = normalWords(3 * candidates).subarray(0, 3 * candidates);
      // Few values, so many ties.
      const drawn = logits.map((word) => word & 0xfff00000);
      drawn[candidates] = 0x7f800000;
      const pairs = Uint32Array.from({ length: 2 * drawn.length }, (_, i) =>
        i % 2 === 0 ? (i * 7919) % 60_000 : drawn[(i - 1) / 2]!,
      );
      const held = zeros((withIds ? 2 : 1) * drawn.length);
      held.set(withIds ? pairs : drawn);
      const slices = Math.ceil(candidates / slice);
      await assertSame(
        form,
        {
          buffers: [held, zeros(3 * slices * chosen * 2), zeros(3)],
          parameters: Uint32Array.of(candidates, candidates, chosen, slice),
          workgroups: [slices, 3],
        },
        `${chosen} of ${candidates}`,
      );
    }
  });
}

/** What each kernel comes to without subgroups, and with subgroups of every size. */
const barriers: Readonly<Record<string, readonly [baseline: number, Record<number, number>]>> = {
  // Two for each of four tiles besides the sum of squares.
  "combine-norm": [11, { 4: 3 + 8, 8: 2, 16: 1, 32: 1, 64: 1 }],
  gate: [2, { 4: 2, 8: 2, 16: 2, 32: 1, 64: 1 }],
  "select-largest": [50, { 4: 15, 8: 10, 16: 5, 32: 5, 64: 5 }],
};

/** Each kernel as Mixtral's shapes need it, and the choice of five. */
const counted: readonly { form: KernelForm; input: KernelInput }[] = [
  {
    form: {
      shader: "combine-norm",
      constants: { INPUT_BF16: 1, ONTO_ZERO: 0, LANES: 256, FORMAT: 2 },
      bindings: [..."wrrrrwww"].map((letter) => (letter === "r" ? "read" : "write")),
      parameterWords: 6,
    },
    input: {
      buffers: [4096, 4096, 4, 4, 4096, 4608, 4096, 4].map(zeros),
      parameters: Uint32Array.of(4096, 4096, 2, 2048, 1152, 0),
      workgroups: [1, 1],
    },
  },
  {
    form: {
      shader: "gate",
      constants: { LANES: 256 },
      bindings: ["read", "read", "read", "write"],
      parameterWords: 3,
    },
    input: {
      buffers: [4096, 8 * 4096, 4, 8].map(zeros),
      parameters: Uint32Array.of(4096, 8, 2),
      workgroups: [1, 1],
    },
  },
  {
    form: {
      shader: "select-largest",
      constants: { IDS: 0 },
      bindings: ["read", "write", "write"],
      parameterWords: 4,
    },
    input: {
      buffers: [1024, 16, 4].map(zeros),
      parameters: Uint32Array.of(1024, 1024, 5, 1024),
      workgroups: [1, 1],
    },
  },
];

test("subgroups save barriers", async () => {
  const { variant } = await openBoth();
  const size = variant.raw.adapterInfo.subgroupMaxSize!;
  for (const kernel of counted) {
    const { shader } = kernel.form;
    const [baseline, bySize] = barriers[shader]!;
    expect(await countBarriers(variant, shader, kernel), shader).toBe(baseline);
    const found = await countBarriers(variant, `${shader}-subgroups`, kernel);
    expect(found, `${shader}, subgroups of ${size}`).toBe(bySize[size]);
  }
});

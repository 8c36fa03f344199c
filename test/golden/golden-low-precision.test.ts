import { expect, test } from "vitest";
import {
  findGateFlip,
  findTokenFlips,
  type GateFlip,
  relativeL2ByRow,
  type TokenFlip,
} from "./explain-differences.ts";
import { type GoldenPrompt, goldenModels, readGoldenPrompts } from "./golden-files.ts";
import { engineKinds, type OneProcessModel, withGoldenModel } from "./one-process-model.ts";

interface Bounds {
  /** Of one kernel, relative L2: both of a product's inputs are rounded. */
  readonly kernelDistanceMax: number;
  /** Gate logits closer than this in f32 may change places; they have a deviation of 2. */
  readonly gateMarginMax: number;
  /** Logits closer than this in f32 may change places; they have a deviation of 2 to 3. */
  readonly tokenGapMax: number;
  /** Share of a model's 256 greedy choices that must be f32's, however near to a tie. */
  readonly equalTokensMin: number;
}

const bounds: Readonly<Record<"bf16" | "q8", Bounds>> = {
  bf16: { kernelDistanceMax: 8e-3, gateMarginMax: 0.1, tokenGapMax: 0.15, equalTokensMin: 0.97 },
  q8: { kernelDistanceMax: 2e-2, gateMarginMax: 0.25, tokenGapMax: 0.35, equalTokensMin: 0.92 },
};

/** Kernels in a row whose rounding adds up, as independent errors do, in each layer. */
const kernelsPerLayer = 4;

/** A row may be this many times as far off as rows are on the whole. */
const rowFactor = 4;

const textTokens = 64;

interface PromptReport {
  /** Relative L2 to f32 of each row of the prompt before the first gate flip. */
  readonly rowDistances: readonly number[];
  readonly gateFlip: GateFlip | undefined;
  readonly tokenFlips: readonly TokenFlip[];
  /** Steps of the greedy text that no gate flip can have touched. */
  readonly cleanSteps: number;
}

async function compareWithF32(model: OneProcessModel, golden: GoldenPrompt): Promise<PromptReport> {
  const { tokenIds, f32 } = golden;
  const all = [...tokenIds, ...f32.greedyTokenIds.subarray(0, -1)];
  const [result] = await model.run([{ tokenIds: all, chunks: [all.length] }]);
  const gateFlip = findGateFlip(golden, result!, model.numLayers);
  const cleanTokens = gateFlip?.position ?? all.length;
  const promptSize = Math.min(cleanTokens, tokenIds.length) * model.vocabSize;
  return {
    rowDistances: relativeL2ByRow(
      result!.logits.subarray(0, promptSize),
      f32.logits.subarray(0, promptSize),
      model.vocabSize,
    ),
    gateFlip,
    tokenFlips: findTokenFlips(golden, result!),
    cleanSteps: Math.max(0, cleanTokens - tokenIds.length + 1),
  };
}

/** For the test's output: which choices were too close to call. */
function describeFlips({ gateFlip, tokenFlips }: PromptReport): string {
  const gate = gateFlip && `gate ${gateFlip.position}, margin ${gateFlip.margin.toFixed(3)}`;
  const tokens = tokenFlips.map(({ step, gap }) => `token ${step}, gap ${gap.toFixed(3)}`);
  return [...(gate === undefined ? [] : [gate]), ...tokens].join("; ") || "none";
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

for (const kind of engineKinds) {
  for (const weightDtype of ["bf16", "q8"] as const) {
    for (const { name, inBlocks } of goldenModels) {
      if (weightDtype === "q8" && !inBlocks) continue;
      const { kernelDistanceMax, gateMarginMax, tokenGapMax, equalTokensMin } = bounds[weightDtype];

      test(`${kind}, ${name}: ${weightDtype} parts from f32 only at near-ties`, async (context) => {
        const prompts = readGoldenPrompts(name);
        await withGoldenModel({ name, weightDtype, kind }, async (model) => {
          const reports: PromptReport[] = [];
          for (const golden of prompts) reports.push(await compareWithF32(model, golden));
          for (const report of reports) {
            await context.annotate(`flips: ${describeFlips(report)}`);
            const { gateFlip, tokenFlips, cleanSteps } = report;
            expect(gateFlip?.margin ?? 0).toBeLessThanOrEqual(gateMarginMax);
            for (const { step, gap } of tokenFlips) {
              if (step < cleanSteps) expect(gap).toBeLessThanOrEqual(tokenGapMax);
            }
          }
          const flipCount = reports.reduce((sum, { tokenFlips }) => sum + tokenFlips.length, 0);
          const equalShare = 1 - flipCount / (prompts.length * textTokens);
          expect(equalShare).toBeGreaterThanOrEqual(equalTokensMin);

          const distanceMax = kernelDistanceMax * Math.sqrt(kernelsPerLayer * model.numLayers);
          const distances = reports.flatMap(({ rowDistances }) => rowDistances);
          expect(median(distances)).toBeLessThanOrEqual(distanceMax);
          for (const each of distances) expect(each).toBeLessThanOrEqual(rowFactor * distanceMax);

          const texts = await model.generateGreedy(
            prompts.map(({ tokenIds }) => ({ promptTokenIds: tokenIds, maxTokens: textTokens })),
          );
          prompts.forEach(({ f32 }, index) => {
            const numEqual = reports[index]!.tokenFlips[0]?.step ?? textTokens;
            const expected = Array.from(f32.greedyTokenIds.subarray(0, numEqual));
            expect(texts[index]!.slice(0, numEqual)).toEqual(expected);
          });
        });
      });
    }
  }

  for (const { name } of goldenModels) {
    test(`${kind}, ${name}: bf16 is no farther from f32 than transformers' own`, async () => {
      await withGoldenModel({ name, weightDtype: "bf16", kind }, async (model) => {
        const ours: number[] = [];
        const theirs: number[] = [];
        for (const golden of readGoldenPrompts(name)) {
          const { rowDistances } = await compareWithF32(model, golden);
          const { bf16, f32 } = golden;
          const all = relativeL2ByRow(bf16.logits, f32.logits, model.vocabSize);
          ours.push(...rowDistances);
          theirs.push(...all.slice(0, rowDistances.length));
        }
        expect(median(ours)).toBeLessThanOrEqual(median(theirs));
      });
    });
  }
}

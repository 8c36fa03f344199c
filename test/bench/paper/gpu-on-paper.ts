// Prints the tables of docs/performance.md, "GPUs, on paper".
//   npm run -s exec -- node test/bench/paper/gpu-on-paper.ts
import { mixtralWidth } from "../model/mixtral-width.ts";
import { costsOf } from "../model/model-costs.ts";
import {
  estimateStep,
  type PaperGpu,
  paperAssumptions,
  prefillCacheBytes,
  type StepQuestion,
} from "./gpu-estimate.ts";

const mixtralLayers = 32;

/** By their makers' data sheets. The integrated one has two channels of DDR5-5600. */
export const paperGpus: readonly PaperGpu[] = [
  { name: "A100 SXM 80 GB", memoryGb: 80, bandwidthGbs: 2039 },
  { name: "RTX 4090", memoryGb: 24, bandwidthGbs: 1008 },
  { name: "RX 7900 XTX", memoryGb: 24, bandwidthGbs: 960 },
  { name: "M2 Max 96 GB", memoryGb: 96, bandwidthGbs: 400 },
  { name: "integrated, 32 GB", memoryGb: 32, bandwidthGbs: 89.6 },
];

/** Rows of the table for one placement: tokens/s expected and, in brackets, by bandwidth alone. */
export function paperRows(placement: StepQuestion["placement"]): string[] {
  const model = mixtralWidth(mixtralLayers);
  return paperGpus.map((gpu) => {
    const cells = (["q4", "q8"] as const).flatMap((dtype) => {
      const { sharedBytes, expertBytes } = costsOf(model, dtype);
      const wholeBytes = sharedBytes + model.numLayers * model.numExperts * expertBytes;
      if (placement === "one GPU" && wholeBytes > gpu.memoryGb * 1e9) return ["no", "no"];
      return [1, 8].map((sequences) => {
        const estimate = estimateStep(gpu, { model, dtype, sequences, placement });
        return `${round(estimate.tokensPerSecond)} (${round(estimate.tokensPerSecondMax)})`;
      });
    });
    return `| ${[gpu.name, `${gpu.bandwidthGbs} GB/s`, ...cells].join(" | ")} |`;
  });
}

/** Rows of the table of prompts: bytes that attention reads by ones, fours and sixteens; then ms. */
export function prefillRows(): string[] {
  const model = mixtralWidth(mixtralLayers);
  return [512, 4096].map((tokens) => {
    const bytes = [1, 4, 16].map((atOnce) => prefillCacheBytes(model, tokens, atOnce));
    const milliseconds = paperGpus.map(({ bandwidthGbs }) => {
      return bytes.at(-1)! / (paperAssumptions.bandwidthShare * bandwidthGbs * 1e6);
    });
    const cells = [...bytes.map((of) => `${round(of / 1e9)} GB`), ...milliseconds.map(round)];
    return `| ${[tokens, ...cells].join(" | ")} |`;
  });
}

/** Two digits are more than an estimate has. */
function round(value: number): string {
  return String(Number(value.toPrecision(2)));
}

if (import.meta.main) {
  for (const placement of ["a GPU a service", "one GPU"] as const) {
    process.stdout.write(`${placement}\n${paperRows(placement).join("\n")}\n\n`);
  }
  process.stdout.write(`prompts\n${prefillRows().join("\n")}\n`);
}

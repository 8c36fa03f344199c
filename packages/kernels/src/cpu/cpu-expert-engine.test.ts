import { describe } from "vitest";
import { expertEngineConformance } from "../conformance/expert-engine-conformance.ts";
import { openCpuExpertEngine } from "./cpu-expert-engine.ts";
import { supportedCpuIsas } from "./cpu-isa.ts";

for (const isa of supportedCpuIsas()) {
  describe(isa, () =>
    expertEngineConformance((options) => openCpuExpertEngine({ ...options, isa })),
  );
}

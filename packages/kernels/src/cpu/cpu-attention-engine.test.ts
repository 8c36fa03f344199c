import { describe } from "vitest";
import { attentionEngineConformance } from "../conformance/attention-engine-conformance.ts";
import { openCpuAttentionEngine } from "./cpu-attention-engine.ts";
import { supportedCpuIsas } from "./cpu-isa.ts";

for (const isa of supportedCpuIsas()) {
  describe(isa, () =>
    attentionEngineConformance((options) => openCpuAttentionEngine({ ...options, isa })),
  );
}

// An attention engine's weights, KV cache and kernels on one device, in the GPU thread.
import { activationRowBytes, type WeightDtype } from "@octet/core";
import { KernelError } from "../kernel-error.ts";
import { passBytesMax } from "./attend-dispatches.ts";
import { type BoundStep, StepBuffers, scratchFor } from "./attention-buffers.ts";
import { layerDispatches, logitDispatches } from "./attention-dispatches.ts";
import { loadAttentionKernels } from "./attention-kernels.ts";
import type { AttentionCall, AttentionLoad, LayerAnswer } from "./attention-protocol.ts";
import { attentionShape } from "./attention-shape.ts";
import { loadGpuAttention } from "./attention-weights.ts";
import { BindGroups } from "./device/bind-groups.ts";
import { type BufferCopy, type Dispatch, submit } from "./device/commands.ts";
import type { GpuDevice } from "./device/gpu-device.ts";
import { ReadBackRing } from "./device/read-back-ring.ts";
import { finishAnswer } from "./finish-answer.ts";
import { groupByExpert, hasFault } from "./group-by-expert.ts";
import { GrownBuffers } from "./grown-buffers.ts";
import type { AttentionContext, LayerRun, NormInput } from "./layer-run.ts";
import { buildStepTables, type PlainSequence, type StepTables } from "./step-tables.ts";
import type { Answer, LoadEngine, LoadedEngine } from "./thread/recovering-engine.ts";
import { topLogitsDispatches } from "./top-logits-dispatches.ts";
import { attentionTuning } from "./tuning/open-tuning.ts";
import { WrittenBlocks } from "./written-blocks.ts";

/** Loads an attention engine onto whichever device it is given. */
export function attentionLoader(load: AttentionLoad): LoadEngine {
  return async (device, onProgress) => {
    const { model, weightDtype, weights, blockSizeTokens } = load;
    const shape = attentionShape(model, weightDtype);
    const embeddingDtype = weights.tensors.get("model.embed_tokens.weight")!.dtype as WeightDtype;
    const { choice: tuning, notes } = await attentionTuning(device, shape, load.tuning);
    const kernels = await device.compiled(
      () => loadAttentionKernels(device, shape, { embeddingDtype, tuning }),
      onProgress,
    );
    const loaded = await loadGpuAttention(device, { ...load, shape });
    const groups = new BindGroups(device);
    const buffers = new GrownBuffers(device, groups);
    const context = {
      ...{ shape, weights: loaded, kernels, groups, buffers },
      ...{ blockSizeTokens, passBytesMax },
    };
    return new LoadedAttention(device, context, { ...load, notes });
  };
}

/** A step between its first call and its last. */
interface OpenStep {
  readonly buffers: StepBuffers;
  readonly bound: BoundStep;
  readonly tables: StepTables;
  /** [T, K] of (row among the answers, weight bits), of the layer before. */
  routes: Uint32Array<ArrayBuffer>;
}

class LoadedAttention implements LoadedEngine {
  readonly weightBytes: number;
  readonly notes: readonly string[];
  readonly #device: GpuDevice;
  readonly #context: AttentionContext;
  readonly #ring: ReadBackRing;
  readonly #written: WrittenBlocks;
  readonly #steps = new Map<number, OpenStep>();
  /** Of steps that are over. */
  readonly #idle: StepBuffers[] = [];

  constructor(
    device: GpuDevice,
    context: AttentionContext,
    load: AttentionLoad & { readonly notes: readonly string[] },
  ) {
    this.notes = load.notes;
    this.#device = device;
    this.#context = context;
    this.#ring = new ReadBackRing(device);
    this.#written = new WrittenBlocks(load);
    this.weightBytes = context.weights.bytes;
  }

  async call(body: unknown): Promise<Answer> {
    const call = body as AttentionCall; // its own proxy made it
    switch (call.kind) {
      case "layer":
        return this.#runLayer(call);
      case "finish":
        return this.#finish(call);
      case "drop":
        this.#close(call.stepId);
        return { body: undefined, transfer: [] };
      case "ping":
        this.#device.assertSound();
        return { body: undefined, transfer: [] };
    }
  }

  destroy(): void {
    for (const stepId of [...this.#steps.keys()]) this.#close(stepId);
    for (const buffers of this.#idle) buffers.destroy();
    this.#ring.destroy();
    this.#context.buffers.destroy();
    this.#context.weights.destroy();
  }

  async #runLayer(call: AttentionCall & { kind: "layer" }): Promise<Answer> {
    const { shape, weights } = this.#context;
    const { stepId, layer, sequences, replies } = call;
    if (sequences !== undefined) this.#open(stepId, sequences);
    const step = this.#stepOf(stepId);
    const { numTokens } = step.tables;
    const perToken = shape.model.numExpertsPerToken;
    const hiddenBytes = numTokens * shape.hiddenRowWords * 4;
    const routingBytes = numTokens * (2 * perToken + 1) * 4;
    const bytes = await this.#compute(() => {
      const run = this.#layerRun(step, replies);
      const { hidden, routing } = run.scratch;
      return {
        dispatches: layerDispatches(this.#context, weights.layers[layer]!, run),
        results: [
          { buffer: hidden, sizeBytes: hiddenBytes },
          { buffer: routing, sizeBytes: routingBytes },
        ],
      };
    });
    const hidden = new Uint8Array(bytes, 0, hiddenBytes);
    const readBack = { numTokens, hidden, routing: new Uint32Array(bytes, hiddenBytes) };
    if (hasFault(readBack, perToken)) {
      throw new KernelError("non-finite", `layer ${layer}: the gate's logits hold NaN or infinity`);
    }
    const rowBytes = activationRowBytes(shape.rowDtype, shape.model.hiddenSize);
    const { dispatch, routes } = groupByExpert(readBack, shape, rowBytes);
    step.routes = routes;
    const transfer = Object.values(dispatch).map(({ buffer }) => buffer);
    return { body: dispatch satisfies LayerAnswer, transfer };
  }

  async #finish(call: AttentionCall & { kind: "finish" }): Promise<Answer> {
    const { stepId, replies, topCount } = call;
    const step = this.#stepOf(stepId);
    try {
      const bytes = await this.#compute(() => this.#finishWork(step, replies, topCount));
      return finishAnswer(bytes, {
        numRows: step.tables.logitRows.length,
        shape: this.#context.shape,
        topCount,
      });
    } finally {
      this.#close(stepId);
    }
  }

  #finishWork(
    step: OpenStep,
    replies: Uint8Array<ArrayBuffer>,
    topCount: number | undefined,
  ): Work {
    const { shape, buffers } = this.#context;
    const run = this.#layerRun(step, replies);
    const numRows = step.tables.logitRows.length;
    const logitBytes = numRows * shape.logitStride * 4;
    const logits = buffers.get("logits", logitBytes);
    const { faults } = run.scratch;
    const dispatches = logitDispatches(this.#context, run, logits);
    const ofFaults = { buffer: faults, sizeBytes: numRows * 4 };
    if (topCount === undefined) {
      return { dispatches, results: [ofFaults, { buffer: logits, sizeBytes: logitBytes }] };
    }
    const selection = { logits, faults, numRows, count: topCount };
    const top = topLogitsDispatches(this.#context, selection);
    return {
      dispatches: [...dispatches, ...top.dispatches],
      results: [ofFaults, { buffer: top.chosen, sizeBytes: numRows * topCount * 8 }],
    };
  }

  /** Submits once and reads back once: the results one after the other. */
  async #compute(prepare: () => Work): Promise<ArrayBuffer> {
    const slot = await this.#ring.acquire();
    try {
      // From here to the submission nothing waits: scratch belongs to whoever submits next.
      this.#device.assertSound();
      const { dispatches, results } = prepare();
      let sizeBytes = 0;
      const total = results.reduce((sum, result) => sum + result.sizeBytes, 0);
      const to = slot.buffer(total);
      const copies: BufferCopy[] = results.map((result) => {
        const toOffsetBytes = sizeBytes;
        sizeBytes += result.sizeBytes;
        return { from: result.buffer, to, sizeBytes: result.sizeBytes, toOffsetBytes };
      });
      submit(this.#device, dispatches, copies);
      return await slot.read(sizeBytes);
    } finally {
      slot.release();
    }
  }

  #layerRun(step: OpenStep, replies: Uint8Array<ArrayBuffer>): LayerRun {
    const { shape, buffers } = this.#context;
    const { tables, bound, routes } = step;
    const scratch = scratchFor(buffers, shape, tables.numTokens);
    const input: NormInput =
      routes.length === 0
        ? { kind: "embedding" }
        : { kind: "replies", ...step.buffers.writeReplies(replies, routes) };
    return { tables, step: bound, scratch, input };
  }

  #open(stepId: number, sequences: readonly PlainSequence[]): void {
    this.#written.open(sequences);
    const { shape, groups } = this.#context;
    const buffers = this.#idle.pop() ?? new StepBuffers(this.#device, groups, shape);
    const tables = buildStepTables(sequences, shape.model);
    const bound = buffers.open(tables);
    this.#steps.set(stepId, { buffers, bound, tables, routes: new Uint32Array(0) });
  }

  #stepOf(stepId: number): OpenStep {
    const step = this.#steps.get(stepId);
    if (step !== undefined) return step;
    throw new KernelError("device-lost", "what the step had computed went with a lost device");
  }

  #close(stepId: number): void {
    const step = this.#steps.get(stepId);
    if (step === undefined) return;
    this.#steps.delete(stepId);
    this.#idle.push(step.buffers);
  }
}

/** What to submit, and which buffers' starts to bring back. */
interface Work {
  readonly dispatches: readonly Dispatch[];
  readonly results: readonly { readonly buffer: GPUBuffer; readonly sizeBytes: number }[];
}

// GET /v1/models: a model with the members that OpenAI's, Mistral's and vLLM's clients look for.
import type { Model } from "@octet/protocol";

/** @param created seconds since 1970; OpenAI's clients want a time, and a model here has none */
export function toModelBody(model: Model, created: number) {
  return {
    id: model.name,
    object: "model",
    created,
    owned_by: "octet",
    root: model.name,
    parent: null,
    permission: [],
    max_model_len: model.maxPositions,
    // Mistral's.
    type: "base",
    name: model.name,
    description: `a mixture of ${model.numExperts} experts, ${model.weightDtype}`,
    max_context_length: model.maxPositions,
    aliases: [],
    deprecation: null,
    capabilities: {
      completion_chat: model.hasChatTemplate,
      completion_fim: false,
      function_calling: model.hasChatTemplate,
      fine_tuning: false,
      vision: false,
    },
    // llama-server's.
    meta: {
      n_vocab: model.vocabSize,
      n_ctx_train: model.maxPositions,
      n_embd: model.hiddenSize,
      n_layer: model.numLayers,
      n_expert: model.numExperts,
      n_expert_used: model.numExpertsPerToken,
    },
  };
}

// What a Mixtral-architecture model is, in our words. `checkpoint` translates Hugging Face's once.

/** The shape of one model. Facts of the checkpoint, never settings. */
export interface ModelConfig {
  /** H, the width of the residual stream. */
  readonly hiddenSize: number;
  /** I, the inner width of one expert. */
  readonly intermediateSize: number;
  /** L. */
  readonly numLayers: number;
  readonly numAttentionHeads: number;
  readonly numKeyValueHeads: number;
  /** Width of one head; numAttentionHeads × headDim need not equal hiddenSize. */
  readonly headDim: number;
  /** E, experts in a layer. */
  readonly numExperts: number;
  /** K, experts chosen per token. */
  readonly numExpertsPerToken: number;
  /** V. */
  readonly vocabSize: number;
  /** Longest sequence the model was made for, in tokens. */
  readonly maxPositions: number;
  readonly ropeTheta: number;
  readonly rmsNormEps: number;
  /** Positions a token attends to, itself included; undefined attends to all before it. */
  readonly slidingWindow: number | undefined;
  /** Whether the LM head is the embedding matrix. */
  readonly tieWordEmbeddings: boolean;
  readonly bosTokenId: number | undefined;
  /** Tokens that end a sequence. */
  readonly eosTokenIds: readonly number[];
}

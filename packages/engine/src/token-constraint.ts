// How something outside the engine decides which tokens an answer may have: a grammar, a choice.

/** Which tokens may come next. */
export interface TokenMask {
  /**
   * [ceil(V / 32)], V the model's vocabulary size, padding included: token id may come next if bit
   * id % 32 of word id >>> 5 is set. At least one bit is set unless the answer is complete; where it
   * may end, those of the model's end-of-sequence tokens are. Bits from V on are ignored. Left
   * unchanged until the next mask is asked for.
   */
  readonly bits: Uint32Array;
  /** Nothing may follow: the sequence ends here, and `bits` do not matter. */
  readonly isComplete: boolean;
}

/**
 * One sequence's constraint. It follows the answer token by token; the engine opens it once the
 * request has blocks, asks one question at a time, and closes it once, however the sequence ends.
 *
 * The next mask is asked for as soon as a token is sampled, so it is worked out while the token
 * goes through the model: off the token path, unless it takes longer than that. A mask that is late
 * holds back its own sequence alone; one that fails, or is later than the engine's limit, fails it.
 *
 * An end-of-sequence token that ended the sequence is not handed over. An answer that is resumed
 * (its first tokens came with the prompt) is handed over token by token before the first is sampled.
 */
export interface TokenConstraint {
  /**
   * @param tokenId the token that was sampled last, one the last mask allowed; undefined, once, for
   *   the mask of the answer's first token
   * @throws anything, with a message fit for the caller of the sequence: no text and no token in it
   */
  advance(tokenId: number | undefined): Promise<TokenMask>;
  /** Ends it, perhaps while `advance` is under way, whose result then matters no more. */
  close(): void;
}

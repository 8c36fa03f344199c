/** Which tokens have come, and how often: what penalties go by. */
export class TokenCounts {
  /** Tokens of the prompt or the answer. */
  readonly seen = new Set<number>();
  /** How often each token is in the answer. */
  readonly inAnswer = new Map<number, number>();

  /**
   * @param tokenIds prompt and answer so far
   * @param answerStart how many of them are the prompt's
   */
  constructor(tokenIds: ArrayLike<number>, answerStart: number) {
    for (let i = 0; i < answerStart; i++) this.seen.add(tokenIds[i]!);
    for (let i = answerStart; i < tokenIds.length; i++) this.push(tokenIds[i]!);
  }

  /** Counts the answer's next token. */
  push(tokenId: number): void {
    this.seen.add(tokenId);
    this.inAnswer.set(tokenId, (this.inAnswer.get(tokenId) ?? 0) + 1);
  }
}

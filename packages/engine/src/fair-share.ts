// Whose turn it is: what each client has been given, in tokens.

/** Most clients whose debts are remembered. */
const clientsMax = 4096;

/**
 * A virtual counter of tokens for each client; the one who was given least is next. A client that
 * comes, or comes back, starts no lower than the least of those who want something: waiting for a
 * while earns nothing. Source of the idea: Sheng et al., "Fairness in Serving Large Language
 * Models", OSDI 2024.
 */
export class FairShare {
  /** Of those above the floor; whoever is not in it is at the floor. */
  readonly #served = new Map<string, number>();
  #floor = 0;

  /** Tokens that count against the client; only their order means anything. */
  servedTokens(clientId: string): number {
    return Math.max(this.#floor, this.#served.get(clientId) ?? 0);
  }

  charge(clientId: string, numTokens: number): void {
    const served = this.servedTokens(clientId) + numTokens;
    this.#served.delete(clientId); // to the end: the longest unchanged is forgotten first
    this.#served.set(clientId, served);
  }

  /**
   * Lifts the floor to the least of those who want something. When nobody does, all are equal
   * again: nobody was kept from anything.
   */
  settle(wanting: Iterable<string>): void {
    let least = Number.POSITIVE_INFINITY;
    for (const clientId of wanting) least = Math.min(least, this.servedTokens(clientId));
    if (least === Number.POSITIVE_INFINITY) {
      this.#served.clear();
      this.#floor = 0;
      return;
    }
    this.#floor = least;
    for (const [clientId, served] of this.#served) {
      if (served <= least || this.#served.size > clientsMax) this.#served.delete(clientId);
    }
  }
}

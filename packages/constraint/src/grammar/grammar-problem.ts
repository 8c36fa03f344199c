// Why something cannot become a grammar. Crosses the thread's border as its message.

/** Found in what a caller wrote; the message is for that caller. */
export class GrammarProblem extends Error {
  override readonly name = "GrammarProblem";
}

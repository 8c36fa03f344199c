// Every token: its id, what it spells, and whether it is control.
import type { AddedToken } from "./special-tokens.ts";

/** Pieces by id and ids by piece. Immutable. */
export class Vocabulary {
  readonly #pieces: readonly (string | undefined)[];
  readonly #textIds: ReadonlyMap<string, number>;
  readonly #controlIds: ReadonlySet<number>;
  readonly #addedIds: ReadonlyMap<string, number>;
  /** Tokens that only a template can spell: the added ones and the control ones. */
  readonly templateTokens: readonly AddedToken[];

  /**
   * @param modelPieces the model's own vocabulary, by id
   * @param added further tokens, or marks on the model's own
   * @param specialContents pieces that are control although their entry does not say so
   */
  constructor(
    modelPieces: readonly (string | undefined)[],
    added: readonly AddedToken[],
    specialContents: ReadonlySet<string>,
  ) {
    const pieces = [...modelPieces];
    const templateTokens = added.map((token) => ({
      ...token,
      special: token.special || specialContents.has(token.content),
    }));
    const marked = new Set(added.map((token) => token.content));
    modelPieces.forEach((content, id) => {
      if (content === undefined || !specialContents.has(content) || marked.has(content)) return;
      templateTokens.push({ id, content, special: true, lstrip: false, rstrip: false });
    });
    for (const { id, content } of templateTokens) pieces[id] = content;
    const templateIds = new Set(templateTokens.map((token) => token.id));
    this.#pieces = pieces;
    this.#textIds = new Map(
      pieces.flatMap((piece, id) =>
        piece === undefined || templateIds.has(id) ? [] : [[piece, id] as const],
      ),
    );
    this.#addedIds = new Map(templateTokens.map((token) => [token.content, token.id]));
    this.#controlIds = new Set(
      templateTokens.filter((token) => token.special).map((token) => token.id),
    );
    this.templateTokens = templateTokens;
  }

  /** One more than the highest id. */
  get size(): number {
    return this.#pieces.length;
  }

  /** The id of a piece that text can become; never an added or a control token. */
  textIdOf(piece: string): number | undefined {
    return this.#textIds.get(piece);
  }

  /** The id of any piece, added and control tokens included. */
  idOf(piece: string): number | undefined {
    return this.#addedIds.get(piece) ?? this.#textIds.get(piece);
  }

  pieceOf(id: number): string | undefined {
    return this.#pieces[id];
  }

  isControl(id: number): boolean {
    return this.#controlIds.has(id);
  }

  /** Whether the token was added to the model's vocabulary: its piece is plain text. */
  isAdded(id: number): boolean {
    const piece = this.#pieces[id];
    return piece !== undefined && this.#addedIds.get(piece) === id;
  }
}

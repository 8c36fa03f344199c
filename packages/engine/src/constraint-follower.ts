// One sequence's constraint: asked ahead of time, never waited for by anybody else.
import { EngineError } from "./engine-error.ts";
import type { GenerateRequest } from "./generate-request.ts";
import type { TokenConstraint, TokenMask } from "./token-constraint.ts";

/**
 * - pending: the mask is being worked out
 * - open: the next token is one of the mask's
 * - complete: nothing may follow
 * - failed: the constraint failed, or took too long
 */
export type ConstraintState =
  | { readonly kind: "pending" }
  | { readonly kind: "open"; readonly bits: Uint32Array }
  | { readonly kind: "complete" }
  | { readonly kind: "failed"; readonly error: EngineError };

/** What a constraint is followed with. */
export interface FollowOptions {
  readonly constraint: TokenConstraint;
  /** Tokens of the answer that are there already. */
  readonly resumed: ArrayLike<number>;
  /** V */
  readonly vocabSize: number;
  /** Longest that it may take for one mask. */
  readonly deadlineMs: number;
  /** Called when the state is pending no more. */
  readonly onSettled: () => void;
}

const pending: ConstraintState = { kind: "pending" };

/** Asks for one mask after the other; an answer after the deadline, or after `close`, is dropped. */
export class ConstraintFollower {
  readonly #options: FollowOptions;
  #state: ConstraintState = pending;
  #deadline: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: FollowOptions) {
    this.#options = options;
    void this.#ask([undefined, ...Array.from(options.resumed)]);
  }

  get state(): ConstraintState {
    return this.#state;
  }

  /** The token that the last mask let through: the next mask is asked for at once. */
  follow(tokenId: number): void {
    this.#state = pending;
    void this.#ask([tokenId]);
  }

  /** Ends it; once. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#deadline);
    this.#options.constraint.close();
  }

  /** Hands tokens over, and keeps the last mask. */
  async #ask(tokenIds: readonly (number | undefined)[]): Promise<void> {
    const { constraint, vocabSize } = this.#options;
    for (const tokenId of tokenIds) {
      const late = Promise.withResolvers<never>();
      try {
        const mask = await Promise.race([constraint.advance(tokenId), this.#startDeadline(late)]);
        if (this.#isClosed) return;
        this.#state = stateOf(mask, vocabSize);
      } catch (cause) {
        this.#state = { kind: "failed", error: toConstraintError(cause) };
      } finally {
        clearTimeout(this.#deadline);
      }
      if (this.#state.kind !== "open") break;
    }
    if (!this.#isClosed) this.#options.onSettled();
  }

  #startDeadline({ promise, reject }: PromiseWithResolvers<never>): Promise<never> {
    const { deadlineMs } = this.#options;
    const detail = `the constraint took more than ${deadlineMs} ms for a token`;
    const late = () => reject(new EngineError("constraint-failed", detail));
    this.#deadline = setTimeout(late, deadlineMs);
    return promise;
  }
}

/**
 * What opens the request's constraint and follows it; undefined if it has none.
 *
 * @throws {EngineError} "invalid-argument" for one that goes on after the end
 */
export function constraintOpener(
  { openConstraint, stop }: GenerateRequest,
  options: Omit<FollowOptions, "constraint" | "onSettled">,
): ((onSettled: () => void) => ConstraintFollower) | undefined {
  if (openConstraint === undefined) return undefined;
  if (stop?.ignoreEos === true) {
    const detail = "ignoreEos: expected false, since a constraint says where the answer ends";
    throw new EngineError("invalid-argument", detail, { field: "stop.ignoreEos" });
  }
  return (onSettled) =>
    new ConstraintFollower({ ...options, constraint: openConstraint(), onSettled });
}

function stateOf({ bits, isComplete }: TokenMask, vocabSize: number): ConstraintState {
  if (isComplete) return { kind: "complete" };
  const words = Math.ceil(vocabSize / 32);
  if (bits.length === words) return { kind: "open", bits };
  const detail = `the constraint's mask: expected ${words} words, found ${bits.length}`;
  return { kind: "failed", error: new EngineError("constraint-failed", detail) };
}

/** What the caller of a sequence sees of its constraint's failure. */
export function toConstraintError(cause: unknown): EngineError {
  if (cause instanceof EngineError) return cause;
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new EngineError("constraint-failed", detail, { cause });
}

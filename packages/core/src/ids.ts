// Distinct ids are distinct types, so that a block cannot be passed where an expert belongs.
import assert from "node:assert/strict";

declare const brand: unique symbol;
type Id<Name extends string> = number & { readonly [brand]: Name };

/** Which expert, in the model's own numbering: 0 .. numExperts - 1, the same on every worker. */
export type ExpertId = Id<"ExpertId">;
/** Which KV block, in one coordinator's pool: 0 .. numBlocks - 1. Never sent to another process. */
export type BlockId = Id<"BlockId">;
/** Which sequence, unique within one coordinator's life. */
export type SequenceId = Id<"SequenceId">;

/** @throws {AssertionError} if `id` is not an integer in 0 .. numExperts - 1 */
export function toExpertId(id: number, numExperts: number): ExpertId {
  assert(Number.isInteger(id) && 0 <= id && id < numExperts, `expert ${id} of ${numExperts}`);
  return id as ExpertId;
}

/** @throws {AssertionError} if `id` is not a non-negative integer */
export function toBlockId(id: number): BlockId {
  assert(Number.isInteger(id) && id >= 0, `block ${id}`);
  return id as BlockId;
}

/** @throws {AssertionError} if `id` is not a non-negative integer */
export function toSequenceId(id: number): SequenceId {
  assert(Number.isInteger(id) && id >= 0, `sequence ${id}`);
  return id as SequenceId;
}

// The halves of a step: one attends while the other's experts compute.
import type { StepSequence } from "@octet/kernels";

/**
 * Two halves of about as many tokens, each in the order given; one if they cannot be told apart.
 * Sequences that share blocks stay together, as no block may be in two open steps: whoever shares
 * any shares the first.
 */
export function halveStep<S extends StepSequence>(sequences: readonly S[]): S[][] {
  const families = new Map<number, S[]>();
  for (const sequence of sequences) {
    const family = families.get(sequence.blockTable[0]!);
    if (family === undefined) families.set(sequence.blockTable[0]!, [sequence]);
    else family.push(sequence);
  }
  const halves = [new Set<S>(), new Set<S>()] as const;
  const tokens = [0, 0];
  const bySize = [...families.values()].toSorted((a, b) => tokensOf(b) - tokensOf(a));
  for (const family of bySize) {
    const lighter = tokens[0]! <= tokens[1]! ? 0 : 1;
    tokens[lighter]! += tokensOf(family);
    for (const sequence of family) halves[lighter].add(sequence);
  }
  return halves
    .filter((half) => half.size > 0)
    .map((half) => sequences.filter((sequence) => half.has(sequence)));
}

function tokensOf(sequences: readonly StepSequence[]): number {
  return sequences.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0);
}

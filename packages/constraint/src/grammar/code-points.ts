// Sets of characters, as sorted ranges of code points.

/** First and last code point of each range; sorted, disjoint, not adjacent. */
export type CodePoints = readonly (readonly [number, number])[];

/** Every character that UTF-8 can spell, except NUL, which the grammar engine cannot. */
export const allCharacters: CodePoints = [
  [0x1, 0xd7ff],
  [0xe000, 0x10ffff],
];

/** The ranges in order and merged, cut to {@link allCharacters}. */
export function toCodePoints(ranges: readonly (readonly [number, number])[]): CodePoints {
  return intersect(merge(ranges), allCharacters);
}

/** Those of `all` that `taken` lacks. */
export function without(all: CodePoints, taken: CodePoints): CodePoints {
  return intersect(all, complement(taken));
}

/** Those that are in both. */
export function intersect(a: CodePoints, b: CodePoints): CodePoints {
  const both: [number, number][] = [];
  for (const [first, last] of a) {
    for (const [from, to] of b) {
      const start = Math.max(first, from);
      const end = Math.min(last, to);
      if (start <= end) both.push([start, end]);
    }
  }
  return merge(both);
}

function merge(ranges: readonly (readonly [number, number])[]): CodePoints {
  const merged: [number, number][] = [];
  for (const [first, last] of ranges.toSorted((x, y) => x[0] - y[0])) {
    const before = merged.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

function complement(taken: CodePoints): CodePoints {
  const rest: [number, number][] = [];
  let next = 0;
  for (const [first, last] of taken) {
    if (next < first) rest.push([next, first - 1]);
    next = last + 1;
  }
  rest.push([next, 0x10ffff]);
  return rest;
}

/** The bytes at each place of a character's UTF-8: every combination is in the set. */
export type Utf8Sequence = CodePoints;

/** The set as sequences of byte ranges, in order. */
export function toUtf8Sequences(codePoints: CodePoints): Utf8Sequence[] {
  return codePoints.flatMap(([first, last]) => splitByBytes(first, last));
}

/** Last code points of one, two and three bytes. */
const lengthEnds = [0x7f, 0x7ff, 0xffff];

function splitByBytes(first: number, last: number): Utf8Sequence[] {
  for (const end of lengthEnds) {
    if (first <= end && end < last) {
      return [...splitByBytes(first, end), ...splitByBytes(end + 1, last)];
    }
  }
  if (last > 0x7f) {
    const length = 1 + lengthEnds.filter((end) => first > end).length;
    for (let place = 1; place < length; place++) {
      // The bytes after this place: all of them, or the leading ones must be equal.
      const low = (1 << (6 * place)) - 1;
      if ((first & ~low) === (last & ~low)) continue;
      if ((first & low) !== 0) {
        return [...splitByBytes(first, first | low), ...splitByBytes((first | low) + 1, last)];
      }
      if ((last & low) !== low) {
        return [...splitByBytes(first, (last & ~low) - 1), ...splitByBytes(last & ~low, last)];
      }
    }
  }
  const [from, to] = [first, last].map((c) => utf8.encode(String.fromCodePoint(c)));
  return [Array.from(from!, (byte, i) => [byte, to![i]!] as const)];
}

const utf8 = new TextEncoder();

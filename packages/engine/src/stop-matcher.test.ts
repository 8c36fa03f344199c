import assert from "node:assert/strict";
import fc from "fast-check";
import { expect, test } from "vitest";
import { StopMatcher } from "./stop-matcher.ts";

// Two letters, so that stop strings overlap themselves, each other and the ends of pieces.
const word = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 5 });
const stops = fc.array(word, { maxLength: 4 });
const pieces = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 4 }));

/** The whole text searched at once: the earliest end, then the longest. */
function searchTwin(text: string, strings: readonly string[], firstEnd = 1) {
  for (let end = firstEnd; end <= text.length; end++) {
    const complete = strings
      .filter((stop) => text.slice(0, end).endsWith(stop))
      .sort((a, b) => b.length - a.length)[0];
    if (complete !== undefined) {
      return { text: text.slice(0, end - complete.length), stopString: complete };
    }
  }
  return { text, stopString: undefined };
}

function stream(cut: readonly string[], strings: readonly string[], firstPiece = 0) {
  const matcher = new StopMatcher(strings);
  let text = "";
  for (const [i, piece] of cut.entries()) {
    const scan = matcher.push(piece, i >= firstPiece);
    text += scan.text;
    if (scan.stopString !== undefined) return { text, stopString: scan.stopString };
  }
  return { text: text + matcher.flush(), stopString: undefined };
}

test("text in pieces ends where a search in the whole text ends it", () => {
  fc.assert(
    fc.property(pieces, stops, (cut, strings) => {
      assert.deepEqual(stream(cut, strings), searchTwin(cut.join(""), strings));
    }),
    { numRuns: 2000 },
  );
});

test("a stop string that is complete too early is text, one that began there is not", () => {
  fc.assert(
    fc.property(pieces, stops, fc.nat({ max: 6 }), (cut, strings, firstPiece) => {
      const early = cut.slice(0, firstPiece).join("").length;
      assert.deepEqual(
        stream(cut, strings, firstPiece),
        searchTwin(cut.join(""), strings, early + 1),
      );
    }),
    { numRuns: 4000 },
  );
});

test("nothing is held back that cannot become a stop string", () => {
  fc.assert(
    fc.property(pieces, stops, (cut, strings) => {
      const matcher = new StopMatcher(strings);
      let seen = "";
      let released = "";
      for (const piece of cut) {
        const scan = matcher.push(piece, true);
        if (scan.stopString !== undefined) return;
        seen += piece;
        released += scan.text;
        const held = seen.slice(released.length);
        assert.equal(released + held, seen);
        assert(held === "" || strings.some((stop) => stop.startsWith(held)));
      }
    }),
  );
});

test("of two stop strings the one that is complete first ends the text", () => {
  expect(stream(["abcd"], ["abcd", "bc"])).toEqual({ text: "a", stopString: "bc" });
  expect(stream(["abc"], ["c", "abc"])).toEqual({ text: "", stopString: "abc" });
});

test("a character is never cut, though stop strings share half of it", () => {
  const matcher = new StopMatcher(["😁"]);
  expect(matcher.push("😀", true)).toEqual({ text: "😀", stopString: undefined });
});

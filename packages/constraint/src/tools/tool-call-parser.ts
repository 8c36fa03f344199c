// An answer's text, piece by piece, to what is said and which tools are called.
import { type ToolCall, toolCallsMarker } from "@octet/tokenizer";
import { toolCallId } from "./tool-call-id.ts";

/** What a piece of an answer gives. */
export interface ParsedAnswer {
  readonly text: string;
  /** Whole calls only. */
  readonly toolCalls: readonly ToolCall[];
}

/** Follows one answer that keeps to a tool grammar. */
export class ToolCallParser {
  readonly #idScope: string;
  /** Text that may be the beginning of the marker; after the marker, the call under way. */
  #held = "";
  #isListing = false;
  /** Of #held, what was looked at; braces open there, and whether it ends inside a string. */
  #scanned = 0;
  #depth = 0;
  #isInString = false;
  #numCalls = 0;

  /** @param idScope what the ids are made from: see {@link toolCallId} */
  constructor(idScope: string) {
    this.#idScope = idScope;
  }

  push(piece: string): ParsedAnswer {
    this.#held += piece;
    if (this.#isListing) return { text: "", toolCalls: this.#takeCalls() };
    const start = this.#held.indexOf(toolCallsMarker);
    if (start >= 0) {
      const text = this.#held.slice(0, start);
      this.#held = this.#held.slice(start + toolCallsMarker.length);
      this.#isListing = true;
      return { text, toolCalls: this.#takeCalls() };
    }
    const kept = this.#markerBegun();
    const text = this.#held.slice(0, this.#held.length - kept);
    this.#held = this.#held.slice(text.length);
    return { text, toolCalls: [] };
  }

  /** What was held back when no more will come. A call that was cut off is left out. */
  end(): ParsedAnswer {
    const text = this.#isListing ? "" : this.#held;
    this.#held = "";
    return { text, toolCalls: [] };
  }

  /** Whether any call was found. */
  get hasCalls(): boolean {
    return this.#numCalls > 0;
  }

  /** How much of the marker the text ends with. */
  #markerBegun(): number {
    const longest = Math.min(this.#held.length, toolCallsMarker.length - 1);
    for (let length = longest; length > 0; length--) {
      if (this.#held.endsWith(toolCallsMarker.slice(0, length))) return length;
    }
    return 0;
  }

  #takeCalls(): ToolCall[] {
    const calls: ToolCall[] = [];
    for (; this.#scanned < this.#held.length; this.#scanned++) {
      const character = this.#held[this.#scanned];
      if (this.#isInString) {
        if (character === "\\") {
          // Its character may be in the next piece.
          if (this.#scanned + 1 === this.#held.length) break;
          this.#scanned += 1;
        } else if (character === '"') this.#isInString = false;
      } else if (character === '"') this.#isInString = true;
      else if (character === "{") {
        if (this.#depth === 0) this.#drop(this.#scanned);
        this.#depth += 1;
      } else if (character === "}") {
        this.#depth -= 1;
        if (this.#depth > 0) continue;
        calls.push(this.#toCall(this.#held.slice(0, this.#scanned + 1)));
        this.#drop(this.#scanned + 1);
        this.#scanned = -1; // the loop steps to 0
      }
    }
    return calls;
  }

  /** Forgets what goes before a place; the scan goes on from there. */
  #drop(length: number): void {
    this.#held = this.#held.slice(length);
    this.#scanned = 0;
  }

  #toCall(json: string): ToolCall {
    const { name, arguments: given } = JSON.parse(json) as { name: string; arguments: unknown };
    const id = toolCallId(this.#idScope, this.#numCalls++);
    return { id, name, argumentsJson: JSON.stringify(given) };
  }
}

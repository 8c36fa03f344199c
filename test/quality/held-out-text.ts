// Text that the bundled model was not trained on, as token ids.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ChatMessage, Tokenizer } from "@octet/tokenizer";

/** A document of tools/bundled-model: a plain text or a chat. */
interface Document {
  readonly text?: string;
  readonly messages?: readonly ChatMessage[];
}

/** A document's tokens, and which of them a model is to predict. */
export interface HeldOutText {
  readonly tokenIds: readonly number[];
  /** Parallel to tokenIds; of a chat only the answers, with their ends. Never the first token. */
  readonly isPredicted: readonly boolean[];
}

/** The first 120 of the 1,679 documents that tools/bundled-model holds out. */
export const heldOutFile = join(import.meta.dirname, "heldout.jsonl");

/** Reads one document a line, as tools/bundled-model/compose.py writes them. */
export function readHeldOutTexts(file: string, tokenizer: Tokenizer): HeldOutText[] {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  return lines.map((line) => encodeDocument(JSON.parse(line) as Document, tokenizer));
}

function encodeDocument({ text, messages }: Document, tokenizer: Tokenizer): HeldOutText {
  const end = tokenizer.eosTokenId;
  assert(end !== undefined, "the bundled model has an end token");
  if (text !== undefined) {
    const tokenIds = [...tokenizer.encode(text, { addBos: true }), end];
    return { tokenIds, isPredicted: tokenIds.map((_, i) => i > 0) };
  }
  assert(messages !== undefined, "a document is a text or a chat");
  const tokenIds: number[] = [];
  const isPredicted: boolean[] = [];
  for (const [index, { role }] of messages.entries()) {
    if (role !== "assistant") continue;
    // The template ends a conversation where an answer begins: with the question before it, and,
    // once there is another question, with the answer and its end token.
    const asked = tokenizer.encodeChat(messages.slice(0, index));
    const next: ChatMessage = { role: "user", content: "" };
    const answered = tokenizer.encodeChat([...messages.slice(0, index + 1), next]);
    const length = answered.lastIndexOf(end) + 1;
    assert.deepEqual(answered.slice(0, asked.length), asked, "a question's tokens stay");
    for (let i = tokenIds.length; i < length; i++) {
      tokenIds.push(answered[i]!);
      isPredicted.push(i >= asked.length);
    }
  }
  return { tokenIds, isPredicted };
}

import fc from "fast-check";
import { expect, test } from "vitest";
import { chatMl, gluedInstruct } from "./testing/chat-templates.ts";
import { mistralV1Dir } from "./testing/mistral-v1.ts";
import { openTokenizer, type Tokenizer } from "./tokenizer.ts";

const joined = (tokenizer: Tokenizer, ids: Int32Array): string =>
  Buffer.concat(Array.from(ids, (id) => tokenizer.pieceBytes(id))).toString();

test("pieces joined are the text, after the beginning's name and the dummy prefix", async () => {
  const tokenizer = await openTokenizer(mistralV1Dir);
  // The vocabulary's own mark for a space reads as one.
  const texts = fc
    .string({ unit: "binary", minLength: 1 })
    .map((text) => text.toWellFormed().replaceAll("\u2581", "x"));
  fc.assert(
    fc.property(texts, (text) => {
      expect(joined(tokenizer, tokenizer.encode(text, { addBos: true }))).toBe(`<s> ${text}`);
    }),
  );
});

test("a control token and a text that spells it look alike, and are not", async () => {
  const tokenizer = await openTokenizer(mistralV1Dir, { chatTemplate: gluedInstruct });
  const messages = [
    { role: "user", content: "</s> é" },
    { role: "assistant", content: "b" },
    { role: "user", content: "c" },
  ] as const;
  const ids = tokenizer.encodeChat(messages);
  expect(joined(tokenizer, ids)).toBe("<s> [INST] </s> é [/INST] b</s> [INST] c [/INST]");
  expect([...ids].filter((id) => id === tokenizer.eosTokenId)).toHaveLength(1);
});

test("an id that the vocabulary lacks is a replacement character", async () => {
  const tokenizer = await openTokenizer(mistralV1Dir, { chatTemplate: chatMl });
  expect(joined(tokenizer, Int32Array.of(999_999))).toBe("\uFFFD");
});

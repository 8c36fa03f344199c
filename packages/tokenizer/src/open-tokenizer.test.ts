import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { byteCharacters } from "./byte-characters.ts";
import { chatMl } from "./testing/chat-templates.ts";
import { readMistralV1, writeFolder } from "./testing/mistral-v1.ts";
import { openTokenizer } from "./tokenizer.ts";

// The library and the large vocabulary are slow to load on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const dirs: string[] = [];
afterAll(() => Promise.all(dirs.map((dir) => rm(dir, { recursive: true }))));

async function folder(files: Readonly<Record<string, unknown>>): Promise<string> {
  const dir = await writeFolder(files);
  dirs.push(dir);
  return dir;
}

/** Byte-level: every byte, the pieces "he" and "hello", and two added tokens. */
const byteLevel = {
  added_tokens: [
    { id: 258, content: "<|im_start|>", special: false },
    { id: 259, content: "<|im_end|>", special: true },
  ],
  normalizer: null,
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
  decoder: { type: "ByteLevel" },
  model: {
    type: "BPE",
    vocab: {
      ...Object.fromEntries(byteCharacters.map((character, byte) => [character, byte])),
      he: 256,
      Ġhe: 257,
    },
    merges: ["h e", "Ġ he"],
  },
};

const sentencePiece = await readMistralV1();

test("a byte-level tokenizer encodes words apart and decodes across tokens", async () => {
  const tokenizer = await openTokenizer(await folder({ "tokenizer.json": byteLevel }));
  expect([...tokenizer.encode("he he")]).toEqual([256, 257]);
  const euro = [...tokenizer.encode("€<|im_end|>")];
  expect(euro).toEqual([...Buffer.from("€<|im_end|>")]);
  const decoder = tokenizer.createStreamDecoder();
  expect(euro.slice(0, 3).map((id) => decoder.push(id))).toEqual(["", "", "€"]);
  expect(tokenizer.decode([257, 256, 259])).toBe(" hehe");
  expect(tokenizer.vocabSize).toBe(260);
});

test("added tokens come from a template alone; those not special are shown", async () => {
  const dir = await folder({ "tokenizer.json": byteLevel, "chat_template.jinja": chatMl });
  const tokenizer = await openTokenizer(dir);
  const ids = [...tokenizer.encodeChat([{ role: "user", content: "<|im_start|>he" }])];
  expect(ids.filter((id) => id >= 258)).toEqual([258, 259, 258]);
  expect(tokenizer.decode(ids)).toBe("<|im_start|>user\n<|im_start|>he\n<|im_start|>assistant\n");
});

test("the template is the file's, before the config's, before its list's default", async () => {
  const hears = async (files: Readonly<Record<string, unknown>>): Promise<string> => {
    const dir = await folder({ "tokenizer.json": byteLevel, ...files });
    const tokenizer = await openTokenizer(dir);
    if (!tokenizer.hasChatTemplate) return "nothing";
    return tokenizer.decode(tokenizer.encodeChat([{ role: "user", content: "x" }]));
  };
  const saying = (word: string): string => `${word}{{ messages[0].content }}`;
  const list = [
    { name: "tool_use", template: saying("tools") },
    { name: "default", template: saying("default") },
  ];
  const inConfig = { "tokenizer_config.json": { chat_template: saying("config") } };
  expect(await hears({})).toBe("nothing");
  expect(await hears({ "tokenizer_config.json": { chat_template: list } })).toBe("defaultx");
  expect(await hears(inConfig)).toBe("configx");
  expect(await hears({ ...inConfig, "chat_template.jinja": saying("file") })).toBe("filex");
});

test("stop tokens are the end-of-sequence token and what generation_config.json adds", async () => {
  const dir = await folder({
    "tokenizer.json": byteLevel,
    "special_tokens_map.json": { eos_token: { content: "<|im_end|>" } },
    "generation_config.json": { bos_token_id: 7, eos_token_id: [65, 259] },
  });
  const tokenizer = await openTokenizer(dir);
  expect([tokenizer.bosTokenId, tokenizer.eosTokenId]).toEqual([7, 259]);
  expect(tokenizer.stopTokenIds).toEqual([259, 65]);
});

test("a merge rule that makes a control token is not followed", async () => {
  const vocab = { ...byteLevel.model.vocab, "<s": 260, "<s>": 261 };
  const model = { ...byteLevel.model, vocab, merges: ["< s", "<s >"] };
  const uncut = { type: "ByteLevel", use_regex: false };
  const added = { id: 261, content: "<s>", special: true };
  const json = { ...byteLevel, pre_tokenizer: uncut, model, added_tokens: [added] };
  const tokenizer = await openTokenizer(await folder({ "tokenizer.json": json }));
  expect([...tokenizer.encode("<s>")]).toEqual([260, ">".charCodeAt(0)]);
});

test("a special token that only the config names is control too", async () => {
  const dir = await folder({
    "tokenizer.json": { ...byteLevel, added_tokens: [] },
    "tokenizer_config.json": {
      additional_special_tokens: ["he"],
      added_tokens_decoder: { 300: { content: "<extra>", special: true } },
    },
  });
  const tokenizer = await openTokenizer(dir);
  expect([256, 257, 300].map((id) => tokenizer.isControlToken(id))).toEqual([true, false, true]);
  expect([...tokenizer.encode("he")]).toEqual([..."he"].map((letter) => letter.charCodeAt(0)));
});

test("a folder that cannot be used is refused, saying which file and what is wrong", async () => {
  const { model } = sentencePiece;
  const { "<0x41>": _, ...vocabWithoutByte } = model.vocab;
  const cases: [Readonly<Record<string, unknown>>, string, RegExp][] = [
    [{}, "missing-file", /tokenizer\.json: expected a tokenizer\.json, found none/],
    [{ "tokenizer.json": "{" }, "bad-file", /tokenizer\.json: expected JSON/],
    [{ "tokenizer.json": "[]" }, "bad-file", /expected a JSON object/],
    [{ "tokenizer.json": {} }, "unsupported-tokenizer", /model: expected BPE/],
    [
      { "tokenizer.json": { ...sentencePiece, model: { type: "Unigram", vocab: [] } } },
      "unsupported-tokenizer",
      /model: expected BPE with merges, found Unigram/,
    ],
    [
      { "tokenizer.json": { ...sentencePiece, normalizer: { type: "NFKC" } } },
      "unsupported-tokenizer",
      /normalizer: .*found NFKC/,
    ],
    [
      { "tokenizer.json": { ...sentencePiece, pre_tokenizer: { type: "Metaspace", split: true } } },
      "unsupported-tokenizer",
      /pre_tokenizer: .*found Metaspace with split/,
    ],
    [
      { "tokenizer.json": { ...sentencePiece, model: { ...model, byte_fallback: false } } },
      "unsupported-tokenizer",
      /byte_fallback/,
    ],
    [
      { "tokenizer.json": { ...sentencePiece, model: { ...model, vocab: vocabWithoutByte } } },
      "bad-file",
      /a piece for every byte, found none for "<0x41>"/,
    ],
    [
      { "tokenizer.json": { ...sentencePiece, model: { ...model, merges: ["x \uE000"] } } },
      "bad-file",
      /merges\[0\]: expected pieces of the vocabulary, found "\uE000"/,
    ],
    [
      { "tokenizer.json": { ...byteLevel, added_tokens: [{ content: "x" }] } },
      "bad-file",
      /added_tokens\[0\]: expected an id and a content/,
    ],
    [
      { "tokenizer.json": byteLevel, "tokenizer_config.json": "nope" },
      "bad-file",
      /tokenizer_config\.json: expected JSON/,
    ],
    [
      { "tokenizer.json": byteLevel, "chat_template.jinja": "{% if %}" },
      "bad-file",
      /chat template: /,
    ],
  ];
  for (const [files, code, message] of cases) {
    const opening = openTokenizer(await folder(files));
    await expect(opening, String(message)).rejects.toMatchObject({ name: "TokenizerError", code });
    await expect(opening).rejects.toThrow(message);
  }
  const nowhere = openTokenizer(join(dirs[0]!, "nowhere"));
  await expect(nowhere).rejects.toMatchObject({ code: "missing-file" });
});

test("without a template, conversations are refused and text is not", async () => {
  const tokenizer = await openTokenizer(await folder({ "tokenizer.json": byteLevel }));
  expect(tokenizer.hasChatTemplate).toBe(false);
  expect(() => tokenizer.encodeChat([{ role: "user", content: "x" }])).toThrow(
    /no-chat-template.*takes plain text, not conversations/,
  );
  expect(tokenizer.encode("x")).toHaveLength(1);
});

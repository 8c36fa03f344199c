// The tokenizer against mistral-common, on Mistral's own v1 vocabulary.
import { rm } from "node:fs/promises";
import { afterAll, expect, test, vi } from "vitest";
import {
  gluedInstruct,
  spaceAfterAnswerInstruct,
  spacedInstruct,
} from "./testing/chat-templates.ts";
import {
  mistralV1Dir,
  readGolden,
  readMistralV1,
  sha256Of,
  withMetaspace,
  writeFolder,
} from "./testing/mistral-v1.ts";
import { openTokenizer } from "./tokenizer.ts";

// Seconds on a quiet machine, not always on one that runs other suites beside this one.
vi.setConfig({ testTimeout: 120_000 });

const golden = await readGolden();
const metaspaceDir = await writeFolder({
  "tokenizer.json": withMetaspace(await readMistralV1()),
  "tokenizer_config.json": { bos_token: "<s>", eos_token: { content: "</s>" } },
});
afterAll(() => rm(metaspaceDir, { recursive: true }));
const dirs = { normalizer: mistralV1Dir, metaspace: metaspaceDir };

test("the vocabulary under test is Mistral's v1, piece by piece", async () => {
  const { model } = await readMistralV1();
  const pieces: string[] = [];
  for (const [piece, id] of Object.entries(model.vocab)) pieces[id] = piece;
  expect(pieces.length).toBe(32_000);
  expect(sha256Of(pieces.join("\n"))).toBe(golden.piecesSha256);
});

test("the golden strings are many, and of every kind", () => {
  expect(golden.strings.length).toBeGreaterThanOrEqual(1_000);
  const counts = Object.groupBy(golden.strings, (entry) => entry.kind);
  const kinds = ["english", "french", "german", "spanish", "italian", "code", "emoji"];
  for (const kind of [...kinds, "broken_utf8", "control_spellings", "whitespace"]) {
    expect(counts[kind]?.length ?? 0, kind).toBeGreaterThanOrEqual(60);
  }
});

for (const [spelling, dir] of Object.entries(dirs)) {
  test(`ids equal mistral-common's, with the prefix as ${spelling}`, async () => {
    const tokenizer = await openTokenizer(dir);
    const wrong = golden.strings.filter(
      ({ text, ids }) => tokenizer.encode(text).join() !== ids.join(),
    );
    expect(wrong.map((entry) => entry.text)).toEqual([]);
  });

  for (const [name, chatTemplate] of Object.entries({
    gluedInstruct,
    spaceAfterAnswerInstruct,
    spacedInstruct,
  })) {
    test(`conversations equal mistral-common's: ${name}, prefix as ${spelling}`, async () => {
      const tokenizer = await openTokenizer(dir, { chatTemplate });
      const wrong = golden.chats.filter(
        ({ messages, ids }) => tokenizer.encodeChat(messages).join() !== ids.join(),
      );
      expect(wrong.map((entry) => entry.messages)).toEqual([]);
    });
  }
}

test("the text of ids equals mistral-common's, whole and streamed", async () => {
  const tokenizer = await openTokenizer(mistralV1Dir);
  const ofStrings = golden.strings.map(({ ids, text, decoded }) => ({
    ids,
    text: decoded ?? text,
  }));
  for (const { ids, text } of [...ofStrings, ...golden.decoded]) {
    expect(tokenizer.decode(ids), JSON.stringify(ids)).toBe(text);
    const stream = tokenizer.createStreamDecoder();
    expect(ids.map((id) => stream.push(id)).join("") + stream.flush()).toBe(text);
  }
});

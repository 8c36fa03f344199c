"""Writes src/fixtures/mistral-v1.json.gz: what mistral-common says of Mistral's v1 vocabulary.

    python3 -m venv .venv && .venv/bin/pip install -r tools/requirements.txt
    .venv/bin/python tools/make-golden.py

The tokenizer model comes with mistral-common, so nothing else is fetched. The same versions write
the same bytes.
"""

import gzip
import hashlib
import json
import random
from pathlib import Path

import golden_texts as texts
from mistral_common.protocol.instruct.messages import AssistantMessage, SystemMessage, UserMessage
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

OUT = Path(__file__).parent.parent / "src" / "fixtures" / "mistral-v1.json.gz"
SEED = 20240111
FIRST_BYTE_ID = 3  # ids 0 to 2 are <unk>, <s> and </s>; then one piece for each byte
FIRST_PIECE_ID = 259

rng = random.Random(SEED)
mistral = MistralTokenizer.v1()
tokenizer = mistral.instruct_tokenizer.tokenizer
pieces = [tokenizer.id_to_piece(i) for i in range(tokenizer.n_words)]


def languages():
    for language, sentences in texts.SENTENCES.items():
        for sentence in sentences:
            yield language, sentence
        combined = [(a, b, c) for a in texts.PARTS[language][0] for b in texts.PARTS[language][1] for c in texts.PARTS[language][2]]
        for subject, verb, ending in rng.sample(combined, 100):
            yield language, f"{subject} {verb} {ending}"


def code():
    for snippet in texts.CODE:
        yield snippet
        yield snippet.replace("    ", "\t").replace("\n", "\r\n")
        yield "\n".join(" " * rng.choice([1, 2, 3, 4, 7, 8, 16, 17]) + line for line in snippet.split("\n"))


def emoji():
    yield from texts.EMOJI
    for _ in range(60):
        parts = rng.choices(texts.EMOJI + [" ", "ok", " text ", "!", "\n"], k=rng.randint(2, 8))
        yield "".join(parts)


def broken_utf8():
    """Bytes that are not UTF-8, or no longer, as a careless reader would hand them on."""
    sentences = [s for group in texts.SENTENCES.values() for s in group]
    for _ in range(60):
        whole = rng.choice(sentences + texts.OTHER_SCRIPTS + texts.EMOJI).encode()
        begin = rng.randrange(len(whole))
        cut = bytearray(whole[begin : begin + rng.randint(1, 40)])
        cut[rng.randrange(len(cut))] = rng.randrange(256)
        yield bytes(cut).decode("utf-8", errors="replace")
    for _ in range(30):
        yield rng.randbytes(rng.randint(1, 24)).decode("utf-8", errors="replace")
    for sentence in rng.sample(sentences, 20):
        yield sentence.encode().decode("latin-1")


def control_spellings():
    yield from texts.CONTROL_SPELLINGS
    for _ in range(60):
        parts = rng.choices(texts.CONTROL_SPELLINGS + ["Hello", " ", "\n", "user"], k=rng.randint(2, 6))
        yield "".join(parts)


def whitespace():
    yield ""
    for mark in texts.WHITESPACE:
        for count in (1, 2, 3, 15, 16, 17, 40):
            yield mark * count
        yield f"a{mark}b {mark} c{mark}"
    for _ in range(30):
        yield "".join(rng.choices(texts.WHITESPACE + ["a", "B", "é"], k=rng.randint(2, 20)))


def random_unicode():
    planes = [(0x20, 0x7F), (0x80, 0x7FF), (0x800, 0xD800), (0xE000, 0x10000), (0x10000, 0x110000)]
    for _ in range(60):
        yield "".join(chr(rng.randrange(*rng.choice(planes))) for _ in range(rng.randint(1, 24)))


def vocabulary_walk():
    """Every piece once, in random company: no part of the merge table goes unvisited."""
    ids = list(range(FIRST_PIECE_ID, len(pieces)))
    rng.shuffle(ids)
    step = 120
    for begin in range(0, len(ids), step):
        yield "".join(pieces[i] for i in ids[begin : begin + step]).replace("▁", " ")


def strings():
    yield from languages()
    groups = [code, emoji, broken_utf8, control_spellings, whitespace, random_unicode, vocabulary_walk]
    for group in groups:
        for text in group():
            yield group.__name__, text
    for text in texts.OTHER_SCRIPTS:
        yield "other_scripts", text


def id_sequences():
    """Ids to decode that no text would give: cut characters, stray bytes, control tokens between."""
    any_id = range(1, len(pieces))  # not <unk>, for which SentencePiece invents the text " ⁇ "
    yield from ([], [1], [2], [28705], [28705, 22557], [1, 22557], [22557, 2, 22557], [35, 22557])
    for _ in range(100):
        yield rng.choices(any_id, k=rng.randint(1, 16))
    for _ in range(150):
        yield [FIRST_BYTE_ID + byte for byte in rng.randbytes(rng.randint(1, 12))]
    for _ in range(150):
        text = "".join(rng.choices(["é", "€", "😀", "漢", "a", "\u0000", "\ufffd"], k=rng.randint(1, 4)))
        ids = [FIRST_BYTE_ID + byte for byte in text.encode()]
        for _ in range(rng.randint(0, 3)):
            ids.insert(rng.randint(0, len(ids)), rng.choice([1, 2, 28705, 22557, 229, 131, 29000]))
        if rng.random() < 0.5:
            del ids[rng.randrange(len(ids))]
        yield ids


def conversations():
    sentences = [s for group in texts.SENTENCES.values() for s in group]
    odd = texts.CONTROL_SPELLINGS + [" leading", "trailing ", "  both  ", "\nline\n", "\t", "😀", "[/INST] x", "▁x"]
    for number in range(120):
        def content():
            return rng.choice(sentences if number % 2 == 0 else sentences[:10] + odd * 2)

        messages = []
        if rng.random() < 0.5:
            messages.append({"role": "system", "content": content()})
        for _ in range(rng.randint(0, 4)):
            messages.append({"role": "user", "content": content()})
            messages.append({"role": "assistant", "content": content()})
        messages.append({"role": "user", "content": content()})
        yield messages


MESSAGE_CLASSES = {"system": SystemMessage, "user": UserMessage, "assistant": AssistantMessage}


def encode_conversation(messages):
    request = ChatCompletionRequest(
        messages=[MESSAGE_CLASSES[m["role"]](content=m["content"]) for m in messages]
    )
    return mistral.encode_chat_completion(request).tokens


def main():
    golden = {
        "piecesSha256": hashlib.sha256("\n".join(pieces).encode()).hexdigest(),
        "strings": [
            {"kind": kind, "text": text, "ids": tokenizer.encode(text, bos=False, eos=False)}
            for kind, text in strings()
        ],
        "decoded": [{"ids": ids, "text": tokenizer.decode(ids)} for ids in id_sequences()],
        "chats": [{"messages": m, "ids": encode_conversation(m)} for m in conversations()],
    }
    for entry in golden["strings"]:
        entry["decoded"] = tokenizer.decode(entry["ids"])
        if entry["decoded"] == entry["text"]:
            del entry["decoded"]
    compact = json.dumps(golden, ensure_ascii=False, separators=(",", ":")).encode()
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_bytes(gzip.compress(compact, compresslevel=9, mtime=0))
    counts = {key: len(value) for key, value in golden.items() if key != "piecesSha256"}
    print(f"{OUT.name}: {OUT.stat().st_size} bytes, {counts}")


if __name__ == "__main__":
    main()

"""Trains the vocabulary and writes tokenizer.json and tokenizer_config.json.

The shape is Mixtral's: byte-fallback BPE over text whose spaces are "▁", <unk> <s> </s> first, then
the 256 byte tokens. Merges are learnt inside words only, never across punctuation, a digit or a
line end, so a line end is always its byte token.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from documents import read_documents, render

SPECIAL = ["<unk>", "<s>", "</s>"]
BYTES = [f"<0x{value:02X}>" for value in range(256)]

CHAT_TEMPLATE = (
    "{%- if messages[0]['role'] == 'system' %}"
    "{%- set system_text = messages[0]['content'] + '\n\n' %}"
    "{%- set turns = messages[1:] %}"
    "{%- else %}"
    "{%- set system_text = '' %}"
    "{%- set turns = messages %}"
    "{%- endif %}"
    "{{- bos_token }}"
    "{%- for message in turns %}"
    "{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}"
    "{%- endif %}"
    "{%- if message['role'] == 'user' %}"
    "{%- if loop.first %}"
    "{{- '[INST] ' + system_text + message['content'] + ' [/INST]' }}"
    "{%- else %}"
    "{{- '[INST] ' + message['content'] + ' [/INST]' }}"
    "{%- endif %}"
    "{%- else %}"
    "{{- ' ' + message['content'] + eos_token }}"
    "{%- endif %}"
    "{%- endfor %}"
)


def learn_merges(documents: list[dict], size: int) -> tuple[list[str], list[tuple[str, str]]]:
    """The learnt tokens, most basic first, and the merges in order."""
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(prepend_scheme="always", split=True),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.Punctuation(),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(SPECIAL) - len(BYTES), min_frequency=3, show_progress=False
    )
    lines = (line for d in documents for line in render(d).splitlines())
    learner.train_from_iterator(
        (line.replace("<s>", "").replace("</s>", "") for line in lines), trainer
    )
    learnt = json.loads(learner.to_str())["model"]
    tokens = sorted(learnt["vocab"], key=learnt["vocab"].get)
    return tokens, [tuple(pair) for pair in learnt["merges"]]


def tokenizer_json(tokens: list[str], merges: list[tuple[str, str]]) -> dict:
    vocabulary = [*SPECIAL, *BYTES, *tokens]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": index,
                "content": text,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for index, text in enumerate(SPECIAL)
        ],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Prepend", "prepend": "▁"},
                {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
            ],
        },
        "pre_tokenizer": None,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "<s>", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
            ],
            "pair": [
                {"SpecialToken": {"id": "<s>", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "<s>", "type_id": 1}},
                {"Sequence": {"id": "B", "type_id": 1}},
            ],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
        },
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
                {"type": "Strip", "content": " ", "start": 1, "stop": 0},
            ],
        },
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": "<unk>",
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": True,
            "byte_fallback": True,
            "ignore_merges": False,
            "vocab": {token: index for index, token in enumerate(vocabulary)},
            "merges": [f"{left} {right}" for left, right in merges],
        },
    }


def tokenizer_config() -> dict:
    return {
        "add_bos_token": True,
        "add_eos_token": False,
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": None,
        "clean_up_tokenization_spaces": False,
        "legacy": True,
        "model_max_length": 2048,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "chat_template": CHAT_TEMPLATE,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a .jsonl of documents")
    parser.add_argument("--out", type=Path, required=True, help="the model directory")
    parser.add_argument("--size", type=int, default=4096)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    learnt = learn_merges(read_documents(arguments.data), arguments.size)
    for name, content in [
        ("tokenizer.json", tokenizer_json(*learnt)),
        ("tokenizer_config.json", tokenizer_config()),
    ]:
        text = json.dumps(content, ensure_ascii=False, indent=1)
        (arguments.out / name).write_text(text + "\n", encoding="utf-8")
    print(f"{len(SPECIAL) + len(BYTES) + len(learnt[0])} tokens, {len(learnt[1])} merges")


if __name__ == "__main__":
    main()

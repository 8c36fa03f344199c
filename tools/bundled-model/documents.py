"""Documents: one JSON object a line, {lang, kind, text} or {lang, kind, messages}."""

from __future__ import annotations

import json
from pathlib import Path

BOS, EOS = "<s>", "</s>"


def read_documents(path: Path) -> list[dict]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def write_documents(path: Path, documents: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as out:
        for document in documents:
            out.write(json.dumps(document, ensure_ascii=False) + "\n")


def render(document: dict) -> str:
    """The exact text the model sees, as the chat template in tokenizer.py writes it."""
    if "text" in document:
        return f"{BOS}{document['text']}{EOS}"
    messages = document["messages"]
    system = ""
    if messages[0]["role"] == "system":
        system, messages = messages[0]["content"] + "\n\n", messages[1:]
    out = BOS
    for index, message in enumerate(messages):
        if message["role"] == "user":
            out += f"[INST] {system if index == 0 else ''}{message['content']} [/INST]"
        else:
            out += f" {message['content']}{EOS}"
    return out

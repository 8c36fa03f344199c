"""Makes the tasks' items from documents that were kept out of the bundled model's training.

Of each chat its first question and answer, with three answers to other questions of the same
language; of the plain texts the first of each language and kind, whole.
"""

import json
from pathlib import Path

HERE = Path(__file__).parent
HELD_OUT = HERE / "../../quality/heldout.jsonl"
CHOICES = 4
TEXTS_EACH = 2


def main() -> None:
    documents = [json.loads(line) for line in HELD_OUT.open(encoding="utf-8")]
    write("answers.jsonl", answers(documents))
    write("texts.jsonl", texts(documents))


def answers(documents: list[dict]) -> list[dict]:
    chats = []
    for document in documents:
        if document["kind"] != "chat" or document["messages"][0]["role"] != "user":
            continue
        question, answer = (message["content"] for message in document["messages"][:2])
        chats.append({"lang": document["lang"], "question": question, "answer": answer})
    items = []
    for index, chat in enumerate(chats):
        # Those that come after it, all round, so that every answer is wrong somewhere too.
        others = [
            other["answer"]
            for other in chats[index + 1 :] + chats[:index]
            if other["lang"] == chat["lang"] and other["answer"] != chat["answer"]
        ]
        choices = list(dict.fromkeys(others))[: CHOICES - 1]
        label = index % CHOICES
        choices.insert(label, chat["answer"])
        items.append({"question": chat["question"], "choices": choices, "label": label})
    return items


def texts(documents: list[dict]) -> list[dict]:
    seen: dict[tuple[str, str], int] = {}
    items = []
    for document in documents:
        if "text" not in document:
            continue
        key = (document["lang"], document["kind"])
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= TEXTS_EACH:
            items.append({"text": document["text"]})
    return items


def write(name: str, items: list[dict]) -> None:
    lines = [json.dumps(item, ensure_ascii=False) + "\n" for item in items]
    (HERE / name).write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()

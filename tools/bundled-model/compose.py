"""Writes the training and held-out documents: stories, scenes, facts and chats in five languages.

Everything is put together from the frames and words in text/, so the same seed gives the same files.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import facts
from documents import render, write_documents
from frames import capital, fill, table
from text import de, en, es, fr, it

LANGUAGES: dict[str, ModuleType] = {"en": en, "fr": fr, "de": de, "es": es, "it": it}


class Mix(NamedTuple):
    plain: float
    """Share of documents that are plain text."""
    stories: float
    """Share of the questions of a chat that ask for a story."""
    greeted: float = 0.0
    """Share of the chats whose first question follows a greeting, as in "Hello! What is rain?"."""
    names: float = 0.0
    """Share of the chats in which somebody says a name, which may be one of no language."""


# Stories teach the languages' grammar first; the second stage has many more questions to a token.
FIRST_STAGE = Mix(plain=0.28, stories=0.16)
SECOND_STAGE = Mix(plain=0.12, stories=0.05)
THIRD_STAGE = Mix(plain=0.15, stories=0.06, greeted=0.2, names=0.12)
GREETINGS = {
    "en": ["Hello!", "Hi!", "Hello,", "Good morning!"],
    "fr": ["Bonjour !", "Salut !", "Bonjour,"],
    "de": ["Hallo!", "Hallo,", "Guten Tag!"],
    "es": ["¡Hola!", "Hola,", "¡Buenos días!"],
    "it": ["Ciao!", "Ciao,", "Buongiorno!"],
}

SINGLE_TURN = [
    (facts.small_talk, 24),
    (facts.concept, 12),
    (facts.capital_city, 8),
    (facts.colour, 4),
    (facts.opposite, 5),
    (facts.arithmetic, 5),
    (facts.calendar, 4),
    (facts.counting, 3),
    (facts.animal, 8),
    (facts.greeting_by_name, 5),
    (facts.unknown, 8),
    (facts.poem, 3),
    (facts.code, 3),
]


def story_slots(text: ModuleType, rng: random.Random) -> dict[str, str]:
    hero, hero_gender, intro, topic = rng.choice(table(text.HEROES))
    friend, friend_gender = rng.choice(text.FRIENDS.split(" ")).split(";")
    thing, the_thing = rng.choice(table(text.OBJECTS))
    here, there = rng.sample(table(text.PLACES), 2)
    beast, the_beast, _ = rng.choice(table(text.BEASTS))
    return {
        "hero": hero,
        "hero_gender": hero_gender,
        "intro": intro,
        "topic": topic,
        "friend": friend,
        "friend_gender": friend_gender,
        "obj": thing,
        "theobj": the_thing,
        "at": here[0],
        "at2": there[0],
        "to": here[1],
        "to2": there[1],
        "beast": beast,
        "thebeast": the_beast,
        "food": rng.choice(text.FOODS.split(";")),
    }


def story(text: ModuleType, slots: dict[str, str], rng: random.Random) -> str:
    parts = [rng.choice(text.OPENINGS), rng.choice(text.PLOTS), rng.choice(text.ENDINGS)]
    return " ".join(fill(part, slots, rng) for part in parts)


def asked_story(text: ModuleType, rng: random.Random) -> facts.Pair:
    slots = story_slots(text, rng)
    return fill(rng.choice(text.STORY_REQUESTS), slots, rng), story(text, slots, rng)


def plain(text: ModuleType, rng: random.Random) -> dict:
    draw = rng.random()
    slots = story_slots(text, rng)
    if draw < 0.55:
        return {"kind": "story", "text": story(text, slots, rng)}
    if draw < 0.8:
        return {"kind": "scene", "text": fill(rng.choice(text.SCENES), slots, rng)}
    kind = rng.choice(
        [facts.concept, facts.capital_city, facts.colour, facts.animal, facts.calendar]
    )
    answers = [kind(text, rng)[1] for _ in range(rng.randint(1, 3))]
    return {"kind": "facts", "text": " ".join(dict.fromkeys(answers))}


def single_turn(text: ModuleType, rng: random.Random, stories: float) -> facts.Pair:
    draw = rng.random()
    if draw < stories:
        return asked_story(text, rng)
    if draw < stories + 0.06:
        return facts.translation(text, LANGUAGES, rng)
    kinds, weights = zip(*SINGLE_TURN, strict=True)
    return rng.choices(kinds, weights)[0](text, rng)


def careless(question: str, rng: random.Random) -> str:
    """The question as a hurried person types it: no capital, no mark at its end."""
    question = question.removeprefix("¿").removeprefix("¡")
    if rng.random() < 0.6:
        question = question.rstrip(" .!?")
    return question.lower() if rng.random() < 0.6 else question


def greeted(text: ModuleType, question: str, rng: random.Random) -> str:
    """The question after a greeting, unless it has one already."""
    language = next(name for name, module in LANGUAGES.items() if module is text)
    word = question.strip("¡¿").split(" ")[0].strip("!.,").lower()
    if any(word in greeting.lower() for greeting in GREETINGS[language]):
        return question
    return f"{rng.choice(GREETINGS[language])} {question}"


def said_name(text: ModuleType, rng: random.Random) -> facts.Pair:
    name = capital(facts.invented_word(rng)) if rng.random() < 0.6 else facts.a_name(text, rng)
    slots = {"n": name}
    if rng.random() < 0.3:
        request, answer = text.SAY_HELLO
        return fill(request, slots, rng), fill(answer, slots, rng)
    saying = fill(rng.choice(text.NAME_SAYINGS), slots, rng)
    return saying, fill(rng.choice(text.NAME_ANSWERS), slots, rng)


def chat(text: ModuleType, rng: random.Random, mix: Mix) -> dict:
    turns = rng.choices([1, 2, 3, 4], [80, 12, 5, 3])[0]
    pairs = [single_turn(text, rng, mix.stories) for _ in range(turns)]
    if mix.names and rng.random() < mix.names:
        pairs[0] = said_name(text, rng)
    elif mix.greeted and rng.random() < mix.greeted:
        pairs[0] = (greeted(text, pairs[0][0], rng), pairs[0][1])
    if rng.random() < 0.04:
        name = facts.a_name(text, rng)
        slots = {"n": name}
        opening = (
            fill(rng.choice(text.NAME_SAYINGS), slots, rng),
            fill(rng.choice(text.NAME_ANSWERS), slots, rng),
        )
        closing = (rng.choice(text.NAME_QUESTIONS), fill(text.NAME_RECALL, slots, rng))
        between = [facts.small_talk(text, rng)] if rng.random() < 0.4 else []
        pairs = [opening, *between, closing]
    messages = []
    if rng.random() < 0.05:
        messages.append({"role": "system", "content": rng.choice(text.SYSTEM)})
    for question, answer in pairs:
        asked = careless(question, rng) if rng.random() < 0.2 else question
        messages.append({"role": "user", "content": asked})
        messages.append({"role": "assistant", "content": answer})
    return {"kind": "chat", "messages": messages}


def compose(count: int, seed: int, mix: Mix) -> list[dict]:
    rng = random.Random(seed)
    documents = []
    for _ in range(count):
        name = rng.choices(list(LANGUAGES), [26, 19, 19, 18, 18])[0]
        if rng.random() < mix.plain:
            document = plain(LANGUAGES[name], rng)
        else:
            document = chat(LANGUAGES[name], rng, mix)
        documents.append({"lang": name} | document)
    return documents


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=60_000)
    parser.add_argument("--heldout", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=17)
    a = parser.parse_args()
    first = compose(a.count, a.seed, FIRST_STAGE)
    second = compose(a.count, a.seed + 2, SECOND_STAGE)
    third = compose(a.count // 3, a.seed + 3, THIRD_STAGE)
    seen = {render(document) for document in first + second + third}
    made = compose(a.heldout, a.seed + 1, FIRST_STAGE)
    heldout = [d for d in made if render(d) not in seen]
    for name, documents in (
        ("train", first),
        ("second", second),
        ("third", third),
        ("heldout", heldout),
    ):
        write_documents(a.out / f"{name}.jsonl", documents)
    total = len(first) + len(second) + len(third)
    print(f"{total} documents ({len(seen)} different), {len(heldout)} held out")


if __name__ == "__main__":
    main()

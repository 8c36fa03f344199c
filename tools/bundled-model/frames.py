"""The small language that frames are written in.

(a|b|c) is one of the three, [he/she] follows the hero's gender, <he/she> the friend's, {slot} a word
chosen before. A slot with a capital first letter is the same word with a capital first letter.
"""

from __future__ import annotations

import random
import re

CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")
HERO = re.compile(r"\[([^\[\]/]*)/([^\[\]/]*)\]")
FRIEND = re.compile(r"<([^<>/]*)/([^<>/]*)>")
SLOT = re.compile(r"\{(\w+)\}")


def table(text: str) -> list[list[str]]:
    return [line.split(";") for line in text.strip().splitlines()]


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def fill(frame: str, slots: dict[str, str], rng: random.Random) -> str:
    while CHOICE.search(frame):
        frame = CHOICE.sub(lambda m: rng.choice(m[1].split("|")), frame)
    frame = HERO.sub(lambda m: m[1] if slots.get("hero_gender") == "m" else m[2], frame)
    frame = FRIEND.sub(lambda m: m[1] if slots.get("friend_gender") == "m" else m[2], frame)

    def slot(match: re.Match) -> str:
        name = match[1]
        if name in slots:
            return slots[name]
        return capital(slots[name[:1].lower() + name[1:]])

    return SLOT.sub(slot, frame)

"""Question and answer pairs of one language: each function returns one (question, answer)."""

from __future__ import annotations

import random
from types import ModuleType

from frames import capital, fill, table

Pair = tuple[str, str]


def small_talk(text: ModuleType, rng: random.Random) -> Pair:
    questions, answers = rng.choice(text.CHAT.strip().splitlines()).split(" => ")
    return rng.choice(questions.split("|")), rng.choice(answers.split("|"))


def concept(text: ModuleType, rng: random.Random) -> Pair:
    noun, meaning, sentence = rng.choice(table(text.CONCEPTS))
    elided = ("qu'" if noun[0] in "aeiou" else "que ") + noun
    slots = {"x": noun, "qu_x": elided, "n": noun.split(" ")[-1]}
    if rng.random() < 0.7:
        return fill(rng.choice(text.CONCEPT_QUESTIONS), slots, rng), meaning
    return fill(rng.choice(text.SENTENCE_REQUESTS), slots, rng), sentence


def capital_city(text: ModuleType, rng: random.Random) -> Pair:
    row = rng.choice(table(text.CAPITALS))
    slots = {"x": row[0], "y": row[1]}
    if rng.random() < 0.75:
        question = fill(rng.choice(text.CAPITAL_QUESTIONS), slots, rng)
        return question, fill(text.CAPITAL_ANSWER, slots, rng)
    slots["x"] = row[-1] if len(row) > 2 else row[0]
    return fill(text.CITY_QUESTION, slots, rng), fill(text.CITY_ANSWER, slots, rng)


def colour(text: ModuleType, rng: random.Random) -> Pair:
    x, y = rng.choice(table(text.COLOURS))
    slots = {"x": x, "y": y}
    return fill(rng.choice(text.COLOUR_QUESTIONS), slots, rng), fill(text.COLOUR_ANSWER, slots, rng)


def opposite(text: ModuleType, rng: random.Random) -> Pair:
    pair = rng.choice(text.OPPOSITES.split(" ")).split(";")
    if rng.random() < 0.5:
        pair.reverse()
    slots = {"x": pair[0], "y": pair[1]}
    question = fill(rng.choice(text.OPPOSITE_QUESTIONS), slots, rng)
    return question, fill(text.OPPOSITE_ANSWER, slots, rng)


def arithmetic(text: ModuleType, rng: random.Random) -> Pair:
    most = rng.choice([5, 5, 5, 10])
    a, b = rng.randint(0, most), rng.randint(0, most)
    if rng.random() < 0.7:
        word, sign, result = text.PLUS, "+", a + b
    else:
        a, b = max(a, b), min(a, b)
        word, sign, result = text.MINUS, "-", a - b
    asked = rng.choice([f"{a} {word} {b}", f"{a} {word} {b}", f"{a} {sign} {b}", f"{a}{sign}{b}"])
    question = fill(rng.choice(text.SUM_QUESTIONS), {"s": asked}, rng)
    return question, fill(text.SUM_ANSWER, {"s": f"{a} {word} {b}", "n": str(result)}, rng)


def calendar(text: ModuleType, rng: random.Random) -> Pair:
    days, months = text.DAYS.split(" "), text.MONTHS.split(" ")
    seasons = text.SEASONS.split(" ")
    after, before = text.AFTER_ANSWER, text.BEFORE_ANSWER
    after_day = getattr(text, "AFTER_DAY_ANSWER", after)
    before_day = getattr(text, "BEFORE_DAY_ANSWER", before)
    kinds = [
        (days, text.AFTER_DAY, after_day, 1),
        (days, text.BEFORE_DAY, before_day, -1),
        (months, text.AFTER_MONTH, after, 1),
        (months, text.BEFORE_MONTH, before, -1),
    ]
    if text.AFTER_SEASON:
        kinds.append((seasons, text.AFTER_SEASON, after, 1))
    names, questions, answer, step = rng.choice(kinds)
    at = rng.randrange(len(names))
    slots = {"x": names[at], "y": names[(at + step) % len(names)]}
    return fill(rng.choice(questions), slots, rng), fill(answer, slots, rng)


def counting(text: ModuleType, rng: random.Random) -> Pair:
    names = text.NUMBERS.split(" ")
    last = rng.choice([3, 5, 5, 10, 10, rng.randint(2, 10)])
    asked = rng.choice([names[last - 1], str(last)])
    question = fill(rng.choice(text.COUNT_REQUESTS), {"x": asked}, rng)
    return question, capital(", ".join(names[:last])) + "."


def animal(text: ModuleType, rng: random.Random) -> Pair:
    name, eats, lives, sounds = rng.choice(table(text.ANIMALS))
    questions, answer = rng.choice(
        [
            (text.EAT_QUESTIONS, eats),
            (text.LIVE_QUESTIONS, lives),
            (text.SOUND_QUESTIONS, sounds),
        ]
    )
    return fill(rng.choice(questions), {"x": name}, rng), answer


def invented_word(rng: random.Random) -> str:
    """A word of no language, so that a word never seen is met with "I do not know"."""
    syllables = [
        rng.choice("bcdfghjklmnprstvwz")
        + rng.choice("aeiou")
        + rng.choice(["", "", "l", "n", "r", "s"])
        for _ in range(rng.randint(2, 4))
    ]
    word = "".join(syllables)
    return capital(word) if rng.random() < 0.5 else word


def unknown(text: ModuleType, rng: random.Random) -> Pair:
    frames = text.UNKNOWN_FRAMES
    if rng.random() < 0.6:
        topic = rng.choice(text.UNKNOWN_TOPICS.split(";"))
    else:
        topic = invented_word(rng)
        if rng.random() < 0.4:
            frames = text.CONCEPT_QUESTIONS
    question = fill(rng.choice(frames), {"x": topic, "qu_x": f"que {topic}"}, rng)
    return question, rng.choice(text.UNKNOWN_ANSWERS)


def greeting_by_name(text: ModuleType, rng: random.Random) -> Pair:
    name = a_name(text, rng)
    request, answer = text.SAY_HELLO
    if rng.random() < 0.4:
        return fill(request, {"n": name}, rng), fill(answer, {"n": name}, rng)
    slots = {"n": name}
    return fill(rng.choice(text.NAME_SAYINGS), slots, rng), fill(
        rng.choice(text.NAME_ANSWERS), slots, rng
    )


def a_name(text: ModuleType, rng: random.Random) -> str:
    friends = [name.split(";")[0] for name in text.FRIENDS.split(" ")]
    return rng.choice(friends + [row[0] for row in table(text.HEROES)])


def poem(text: ModuleType, rng: random.Random) -> Pair:
    return fill(rng.choice(text.POEM_REQUESTS), {}, rng), rng.choice(text.POEMS)


def code(text: ModuleType, rng: random.Random) -> Pair:
    kind = rng.choice(sorted(text.CODE_REQUESTS))
    greeting, *fruits = text.CODE_WORDS
    programs = {
        "hello": f'print("{greeting}")',
        "add": "def add(a, b):\n    return a + b",
        "square": "def square(x):\n    return x * x",
        "loop": "for i in range(1, 11):\n    print(i)",
        "even": "def is_even(n):\n    return n % 2 == 0",
        "max": "def larger(a, b):\n    return a if a > b else b",
        "js": f'console.log("{greeting}");',
        "list": "fruits = [" + ", ".join(f'"{fruit}"' for fruit in fruits) + "]",
    }
    return rng.choice(
        text.CODE_REQUESTS[kind]
    ), f"{rng.choice(text.CODE_INTRO)}\n\n{programs[kind]}"


def translation(text: ModuleType, others: dict[str, ModuleType], rng: random.Random) -> Pair:
    """Between English and another language; the words of WORDS stand in one order in all."""
    english = others["en"] is text
    language = rng.choice([name for name in others if name != "en"]) if english else "en"
    words, foreign = text.WORDS.split(" "), others[language].WORDS.split(" ")
    at = rng.randrange(len(words))
    slots = {
        "w": words[at].replace("_", " "),
        "v": foreign[at].replace("_", " "),
        "l": text.LANGUAGE_NAMES[language],
    }
    return fill(rng.choice(text.TRANSLATE_QUESTIONS), slots, rng), fill(
        text.TRANSLATE_ANSWER, slots, rng
    )

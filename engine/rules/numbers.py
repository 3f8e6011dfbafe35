"""Numbers as people write and say them: 1.200, 1,200, 1 200, 3.5, "thirty-one", "two hundred and forty"."""

from __future__ import annotations

import re
from typing import NamedTuple

from engine.rules.sentence import Sentence

_UNITS = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen
"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
UNITS = {word: value for value, word in enumerate(_UNITS.split())}
TENS = {word: 10 * value for value, word in enumerate(_TENS.split(), start=2)}
SCALES = {
    "hundred": 1e2,
    "thousand": 1e3,
    "grand": 1e3,
    "k": 1e3,
    "lakh": 1e5,
    "lakhs": 1e5,
    "million": 1e6,
    "millions": 1e6,
    "mill": 1e6,
    "mio": 1e6,
    "mln": 1e6,
    "mn": 1e6,
    "m": 1e6,
    "crore": 1e7,
    "crores": 1e7,
    "billion": 1e9,
    "bn": 1e9,
}
_TELLING = (frozenset(UNITS) - {"zero", "one"}) | frozenset(TENS) | {"hundred", "thousand", "million", "dozen"}

DIGITS = r"\d{1,3}(?:[.,'\s]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d{1,3}(?:,\d{2}){1,3},\d{3}(?!\d)|\d+(?:[.,]\d+)?"
_SPOKEN_WORD = "|".join([*UNITS, *TENS, "hundred", "thousand", "million", "half a", "a quarter of a"][::-1])
SPOKEN = rf"(?:a )?(?:{_SPOKEN_WORD})\b(?:(?:[\s-]+(?:and )?(?:a )?|[\s-]+point[\s-]+)(?:{_SPOKEN_WORD})\b){{0,8}}"
_WRITTEN_NUMBER = re.compile(rf"(?<![\w.,])(?:{DIGITS})")
_SPOKEN_NUMBER = re.compile(rf"\b{SPOKEN}")
_DIGIT = re.compile(r"\d")


class Number(NamedTuple):
    """A number in a sentence, by its span; `spoken` if it is written out in words."""

    start: int
    end: int
    spoken: bool


def numbers_in(sentence: Sentence) -> list[Number]:
    """The numbers of a sentence, written ones first. "One" alone is none: it is mostly a pronoun."""
    found: list[Number] = []
    if _DIGIT.search(sentence.folded):
        found = [Number(*match.span(), False) for match in _WRITTEN_NUMBER.finditer(sentence.folded)]
    if not _TELLING.isdisjoint(sentence.words):
        spoken = (match.span() for match in _SPOKEN_NUMBER.finditer(sentence.folded))
        found += [Number(start, end, True) for start, end in spoken if sentence.folded[start:end] != "one"]
    return found


def number_of(digits: str) -> float:
    """The value of a written number, in English or continental notation.

    A group of exactly three digits after a separator is thousands ("5.000", "1,200"); anything else after the last
    separator is a fraction ("3.5", "12,50", "1.234,56").
    """
    bare = re.sub(r"['\s]", "", digits)
    last = max(bare.rfind("."), bare.rfind(","))
    if last < 0:
        return float(bare)
    whole, fraction = re.sub(r"[.,]", "", bare[:last]), bare[last + 1 :]
    if len(fraction) == 3 and whole != "0":
        return float(whole + fraction)
    return float(f"{whole or 0}.{fraction}")


def spoken_number(words: str) -> float:
    """The value of a number in words: "one point one four million" is 1,140,000, "half a million" 500,000."""
    whole, _, decimals = words.replace("-", " ").partition(" point ")
    value = _whole(whole.split())
    if not decimals:
        return value
    digits = [str(UNITS[word]) for word in decimals.split() if word in UNITS and UNITS[word] < 10]
    scale = [SCALES[word] for word in decimals.split() if word in SCALES]
    return float(f"{int(value)}.{''.join(digits) or 0}") * (scale[0] if scale else 1.0)


def _whole(words: list[str]) -> float:
    total, current = 0.0, 0.0
    for word in words:
        if word in ("half", "quarter"):
            current += 0.5 if word == "half" else 0.25
        elif word == "hundred":
            current = (current or 1.0) * 100.0
        elif word in SCALES:
            total += (current or 1.0) * SCALES[word]
            current = 0.0
        else:
            current += UNITS.get(word, 0) + TENS.get(word, 0)
    return total + current

"""How much of one short statement another one holds: the same words and numbers, however they are written.

It compares wording, not meaning: a paraphrase counts for little, so it ranks analyzers rather than grades them.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from engine.guardrails.grounding import normalised
from engine.rules.numbers import DIGITS, SCALES, SPOKEN, number_of, spoken_number
from engine.rules.sentence import word_set

_SCALE = "|".join(sorted((scale for scale in SCALES if scale != "hundred"), key=len, reverse=True))
_TOKEN = re.compile(
    rf"(?<![\w.,])(?P<digits>{DIGITS})(?:\s?(?P<scale>{_SCALE})\b)?|\b(?P<spoken>{SPOKEN})|[^\W\d_]+|\d+"
)
_CURRENCIES = {"€": " eur ", "£": " gbp ", "$": " usd ", "euros": "eur", "euro": "eur", "dollars": "usd"}
_SAME_WORD = {
    **{name[:3]: name for name in ("january", "february", "august", "october", "november", "december")},
    "sept": "september",
    "yr": "year",
    "annum": "year",
    "annually": "year",
    "yearly": "year",
    "monthly": "month",
    "hrs": "hour",
    "hr": "hour",
    "mins": "minute",
    "min": "minute",
    "percent": "%",
}
_EMPTY = word_set("""
    a an and are as at be been but by do does for from had has have he her his i if in into is it its just me my of on
    or our she so that the their them there they this to us was we were what which will with would you your about
    around roughly approximately some then than per
""")


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[str, ...]:
    """The words and numbers that carry the meaning, in one spelling: "€40k" is ("eur", "40000").

    Case, articles and the like, plural s, currency signs, thousands separators, k and m, months, number words.
    """
    plain = normalised(text).replace("%", " percent ")
    for sign, name in _CURRENCIES.items():
        plain = plain.replace(sign, name)
    return tuple(token for match in _TOKEN.finditer(plain) if (token := _token(match)) not in _EMPTY)


def held(text: str, claimed: str) -> tuple[int, int]:
    """How many of the tokens of `text` stand in `claimed` too, and how many there are."""
    wanted, there = _counted(text), _counted(claimed)
    return sum(min(number, there.get(token, 0)) for token, number in wanted.items()), wanted.total()


@lru_cache(maxsize=4096)
def _counted(text: str) -> Counter[str]:
    """How often each token stands in a text. A value is looked at on every turn after it was said."""
    return Counter(tokens(text))


@lru_cache(maxsize=4096)
def numbers(text: str) -> str:
    """The numbers of a text alone, in one spelling."""
    return " ".join(token for token in tokens(text) if token[0].isdigit())


def _token(match: re.Match[str]) -> str:
    if (digits := match["digits"]) is not None:
        return _written(number_of(digits) * SCALES.get(match["scale"] or "", 1.0))
    if (spoken := match["spoken"]) is not None:
        return _written(spoken_number(spoken.removeprefix("a ")))
    word = match.group()
    word = _SAME_WORD.get(word, word)
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _written(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)

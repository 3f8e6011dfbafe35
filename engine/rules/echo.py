"""The customer's own words, turned round as a mirror would: "nobody opened the portal", "by hand now"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.rules.depth import Problem, problems
from engine.rules.reading import clause_span
from engine.rules.sentence import sentence_of, word_set

LEAST_WORDS, MOST_WORDS = 2, 7

_TURNED = {
    "i": "you", "i'm": "you're", "i've": "you've", "i'd": "you'd", "i'll": "you'll", "me": "you", "my": "your",
    "mine": "yours", "myself": "yourself", "we": "you", "we're": "you're", "we've": "you've", "we'd": "you'd",
    "we'll": "you'll", "us": "you", "our": "your", "ours": "yours", "am": "are", "ourselves": "yourselves",
}  # fmt: skip
_ADDRESSES = word_set("you your you're you've yours you'd you'll yourself")
_CANNOT_CLOSE = word_set("""
    and but or so because of to for with in on at by from as the a an my our i we is are was were if that which
    who whose where when than then into about like it its this these those have has had be been being will would
    can could not every each some any no very too just even still about around roughly more less most
""")
_UNSAYABLE = re.compile(
    r"\b(?:pain\w*|champion\w*|meddic|bant|budget|economic buyer)\b|[?\"()<>{}\[\]|@#*/\\]|https?:|www\.", re.IGNORECASE
)
_SIDE_CLAUSE = re.compile(r" (?:which|who|whose|where|that (?:we|i|they|he|she|it)) ", re.IGNORECASE)


def echo(found: Sequence[Problem]) -> str | None:
    """Two to seven words to mirror: from where the clearest problem is named to the end of its clause."""
    for problem in sorted(found, key=lambda problem: -problem.confidence):
        _, end = clause_span(problem.sentence, problem.start)
        mirrored = _turned(problem.sentence.text[problem.start : end])
        if mirrored is not None:
            return mirrored
    return None


def echo_of(quote: str) -> str | None:
    """The same from one quote that is remembered."""
    return echo(problems((sentence_of(quote),)))


def _turned(text: str) -> str | None:
    words = [word.strip(",.;:!…-–—'’") for word in _SIDE_CLAUSE.split(text)[0].split()][:MOST_WORDS]
    while words and words[-1].casefold() in _CANNOT_CLOSE:
        words.pop()
    folded = [word.casefold().replace("’", "'") for word in words]
    sayable = not _UNSAYABLE.search(" ".join(words)) and _ADDRESSES.isdisjoint(folded)
    if not sayable or len(words) < LEAST_WORDS or not all(words):
        return None
    return " ".join(_TURNED.get(small, word) for small, word in zip(folded, words, strict=True))

"""One sentence of a customer's message, prepared once for every rule that looks at it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

STEM_LETTERS = 4

_PLAIN = str.maketrans(
    dict.fromkeys("’‘‛ʼ´", "'")
    | dict.fromkeys("“”„«»", '"')
    | dict.fromkeys("–‑‐−", "-")
    | dict.fromkeys("\u00a0\u202f\u2009\t\r\v\f", " ")
    | {"—": ";", "…": "."}
)
_ASCII_SPACES = str.maketrans("\t\r\v\f", "    ")
_WORD = re.compile(r"\w+(?:'\w+)*")


class Sentence(NamedTuple):
    """One sentence of a turn.

    `text` is verbatim; `folded` is the same in lower case with plain quotes and dashes, character for character, so
    that a position in one is a position in the other. `keys` are its words and the first `STEM_LETTERS` letters of
    each: they say cheaply whether a phrase can occur at all. `supposes`: it speaks of what is not so ("if we had
    50k"). `asks`: it is a question. `to_machine`: it addresses the software rather than the person. `held`: which
    lists of phrases it may hold, where it was looked up in an index of them.
    """

    text: str
    folded: str
    words: frozenset[str]
    keys: frozenset[str]
    asks: bool = False
    supposes: bool = False
    to_machine: bool = False
    held: Mapping[object, Sequence[str]] | None = None

    @property
    def told(self) -> bool:
        """Whether the customer says that it is so: neither asked nor supposed nor said to a machine."""
        return not (self.asks or self.supposes or self.to_machine)


class Index(Protocol):
    """What tells which lists of phrases a sentence with these keys may hold (`engine.rules.phrases.PhraseIndex`)."""

    def held(self, keys: frozenset[str]) -> Mapping[object, Sequence[str]]: ...


def sentence_of(text: str, folded: str | None = None, index: Index | None = None) -> Sentence:
    """The sentence with everything that its own words say; `folded` is its text folded, if that is known."""
    folded = fold(text) if folded is None else folded
    words = frozenset(_WORD.findall(folded))
    keys = words.union([word[:STEM_LETTERS] for word in words])
    asks = "?" in folded and folded.rstrip("\"') ").endswith("?")
    return Sentence(text, folded, words, keys, asks, held=index.held(keys) if index else None)


def fold(text: str) -> str:
    """Lower case, plain quotes, dashes and spaces, and exactly as long as `text`."""
    if text.isascii():
        return text.lower().translate(_ASCII_SPACES)
    plain = text.translate(_PLAIN)
    lower = plain.lower()
    if len(lower) == len(text):
        return lower
    return "".join(small if len(small := character.lower()) == 1 else character for character in plain)


def word_set(text: str) -> frozenset[str]:
    """The words of a text as a set: how lists of words are written down."""
    return frozenset(text.split())

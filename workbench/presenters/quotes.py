"""Where quoted evidence stands in a message, so that it can be highlighted there."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from engine.guardrails.grounding import normalised

_EDGES = " \"'.…"


ReasonT = TypeVar("ReasonT")


@dataclass(frozen=True, slots=True)
class Passage(Generic[ReasonT]):
    """Characters `start` to `end` (exclusive) of a message, and what they are quoted for."""

    start: int
    end: int
    why: tuple[ReasonT, ...]


def locate(text: str, quote: str) -> tuple[int, int] | None:
    """Where `quote` stands in `text`, compared as the guardrails do: case, spacing, Unicode and typography aside."""
    wanted = "".join(folded for folded, _ in _folded(quote)).strip(_EDGES)
    if not wanted:
        return None
    places = list(_folded(text))
    found = "".join(folded for folded, _ in places).find(wanted)
    if found < 0:
        return None
    return places[found][1], places[found + len(wanted) - 1][1] + 1


def passages(text: str, quotes: Iterable[tuple[str, ReasonT]]) -> tuple[Passage[ReasonT], ...]:
    """Every (quote, why) that stands in `text`, in order; those that overlap become one."""
    found = [Passage(*place, (why,)) for quote, why in quotes if (place := locate(text, quote)) is not None]
    merged: list[Passage[ReasonT]] = []
    for passage in sorted(found, key=lambda passage: (passage.start, passage.end)):
        if merged and passage.start < merged[-1].end:
            merged.append(_joined(merged.pop(), passage))
        else:
            merged.append(passage)
    return tuple(merged)


def _joined(first: Passage[ReasonT], second: Passage[ReasonT]) -> Passage[ReasonT]:
    return Passage(first.start, max(first.end, second.end), tuple(dict.fromkeys((*first.why, *second.why))))


def _folded(text: str) -> Iterator[tuple[str, int]]:
    """Each character that counts, folded, with the position it comes from; runs of white space are one space."""
    spaced = True
    for position, character in enumerate(text):
        if character.isspace():
            if not spaced:
                yield " ", position
            spaced = True
            continue
        for folded in unicodedata.normalize("NFKD", normalised(character)):
            yield folded, position
        spaced = False

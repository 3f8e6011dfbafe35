"""What differs between two texts, word by word: two versions of a prompt, or two messages as they were sent."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.prompts import Message

AROUND = 14  # words kept on either side of a difference

_WORDS = re.compile(r"\S+")
_MANY = 20_000_000  # pairs of words, from which on words that come up everywhere are not matched one by one

Kind = Literal["same", "removed", "added", "gap"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Words that both have, or only the first (removed), or only the second (added); a gap stands for words left out.

    A break of line is a plain space here.
    """

    kind: Kind
    text: str


def word_difference(first: str, second: str, *, around: int | None = AROUND) -> tuple[Piece, ...]:
    """What differs, with `around` words about it (None: with all that is the same). Nothing where only white space
    does.
    """
    one, other = _WORDS.findall(first), _WORDS.findall(second)
    if one == other:
        return ()
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=len(one) * len(other) > _MANY)
    if around is None:
        return tuple(_of_group(matcher.get_opcodes(), one, other))
    pieces: list[Piece] = []
    for group in matcher.get_grouped_opcodes(around):
        pieces.extend((Piece("gap", "…"), *_of_group(group, one, other)))
    return tuple(pieces)


def message_differences(
    first: Sequence[Message], second: Sequence[Message], *, around: int | None = AROUND
) -> tuple[tuple[str, tuple[Piece, ...]], ...]:
    """Role and difference of each message of two requests; a role that only one of them has is all added or removed."""
    one, other = ({message["role"]: message["content"] for message in messages} for messages in (first, second))
    roles = dict.fromkeys([*one, *other])
    return tuple((role, word_difference(one.get(role, ""), other.get(role, ""), around=around)) for role in roles)


def _of_group(
    group: Sequence[tuple[str, int, int, int, int]], one: Sequence[str], other: Sequence[str]
) -> Iterator[Piece]:
    for tag, start, end, other_start, other_end in group:
        if tag == "equal":
            yield Piece("same", " ".join(one[start:end]))
            continue
        if start < end:
            yield Piece("removed", " ".join(one[start:end]))
        if other_start < other_end:
            yield Piece("added", " ".join(other[other_start:other_end]))

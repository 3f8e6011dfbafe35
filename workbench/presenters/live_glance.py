"""What is known at one glance: a word for each dimension, and how many people were mentioned."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine import memory
from engine.model.qualification import Dimension
from engine.model.state import ConversationState
from workbench.presenters import board as boards
from workbench.presenters.board import Cell, Mark
from workbench.presenters.figures import percent
from workbench.presenters.live_conversation import Talk
from workbench.presenters.words import DIMENSIONS, Word
from workbench.text import clip, count

_LONGEST = 160  # characters of a value


class Standing(StrEnum):
    """How it stands with something after the newest message."""

    UNKNOWN = "unknown"
    KNOWN = "known"
    MOVED = "moved"  # by this message
    DOUBTED = "doubted"


@dataclass(frozen=True, slots=True)
class Glimpse:
    """One thing in a few words, and on hover what is behind it: the value may be a customer's words."""

    word: Word
    standing: Standing


def dimensions(talk: Talk) -> tuple[Glimpse, ...]:
    """The ten dimensions in their own order."""
    if talk.answered is None:
        return tuple(_dimension(dimension, None) for dimension in Dimension)
    rows = boards.board(talk.sides, talk.answered)
    return tuple(_dimension(row.dimension, row.cells[0]) for row in rows)


def people(talk: Talk) -> Glimpse:
    """How many people were mentioned."""
    before, after = _around(talk)
    entries = memory.expansion(after).entries if after else ()
    names = ", ".join(entry.trigger.mentioned_name_or_role for entry in entries)
    moved = before is not None and len(entries) > len(memory.expansion(before).entries)
    standing = Standing.MOVED if moved else Standing.KNOWN if entries else Standing.UNKNOWN
    return Glimpse(Word(count(len(entries), "person", "people"), clip(names, _LONGEST) or "Nobody yet"), standing)


def _around(talk: Talk) -> tuple[ConversationState | None, ConversationState | None]:
    if talk.answered is None:
        return None, None
    return talk.side.before(talk.answered), talk.side.after(talk.answered)


def _dimension(dimension: Dimension, cell: Cell | None) -> Glimpse:
    word = DIMENSIONS[dimension]
    if cell is None or cell.value is None:
        return Glimpse(word, Standing.UNKNOWN)
    standing = Standing.DOUBTED if cell.doubt else Standing.KNOWN if cell.mark is Mark.SAME else Standing.MOVED
    return Glimpse(Word(word.name, f"{percent(cell.confidence)}: {clip(cell.value, _LONGEST)}"), standing)

"""The board: what is known in each of the ten dimensions after a turn, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.model.qualification import AnySignal, Dimension, Evidence, QualificationState
from workbench.presenters.backing import NO_QUOTE, backing, doubt_of
from workbench.presenters.sides import Side
from workbench.presenters.words import NO_ANSWER, Word


class Mark(StrEnum):
    """What this turn did to a dimension."""

    NEW = "new"
    CHANGED = "changed"
    SURER = "surer"
    MORE_EVIDENCE = "more evidence"
    SAME = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One dimension on one side. Nothing known: `value` is None.

    `quote` backs the value, `more_quotes` counts the others; `doubt` says why the value is not to be trusted.
    """

    value: str | None
    confidence: float
    quote: Evidence | None
    more_quotes: int
    doubt: Word | None
    mark: Mark


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A dimension with its cell on each side; None where the side has no record of the turn."""

    dimension: Dimension
    cells: tuple[Cell | None, ...]


def board(sides: Sequence[Side], turn: int) -> tuple[BoardRow, ...]:
    """The ten dimensions in their own order."""
    return tuple(BoardRow(dimension, tuple(_cell(side, turn, dimension) for side in sides)) for dimension in Dimension)


def known_of(rows: Sequence[BoardRow], place: int) -> str:
    """How much of these rows the side at `place` knows: `knows 2 of 4, 1 more not to be trusted`.

    That it says nothing, where it does not.
    """
    cells = [cell for row in rows if (cell := row.cells[place]) is not None]
    if not cells:
        return NO_ANSWER
    found = [cell for cell in cells if cell.value is not None]
    doubted = sum(cell.doubt is not None for cell in found)
    more = f", {doubted} more not to be trusted" if doubted else ""
    return f"knows {len(found) - doubted} of {len(cells)}{more}"


def _cell(side: Side, turn: int, dimension: Dimension) -> Cell | None:
    before, after = side.before(turn), side.after(turn)
    if before is None or after is None:
        return None
    signal = after.qualification.signal(dimension)
    doubt = doubt_of(side, turn, dimension)
    quote = None if doubt is NO_QUOTE else backing(side, turn, dimension)
    return Cell(
        value=signal.value,
        confidence=signal.confidence,
        quote=quote,
        more_quotes=0 if quote is None else len(signal.evidence) - 1,
        doubt=doubt,
        mark=mark(before.qualification, after.qualification, dimension),
    )


def mark(before: QualificationState, after: QualificationState, dimension: Dimension) -> Mark:
    """What happened to a dimension between two states."""
    return _mark(before.signal(dimension), after.signal(dimension))


def _mark(before: AnySignal, after: AnySignal) -> Mark:
    if not after.identified:
        return Mark.SAME
    if not before.identified:
        return Mark.NEW
    if before.value != after.value:
        return Mark.CHANGED
    if after.confidence > before.confidence:
        return Mark.SURER
    return Mark.MORE_EVIDENCE if len(after.evidence) > len(before.evidence) else Mark.SAME

"""What calibration is in use, what was before, and whether it has gone stale, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from engine.calibration.values import FittedCalibration, PublishedCalibration
from workbench.presenters.calibration_words import ALERTS, alert_words, cell_name, p_value
from workbench.presenters.figures import UNKNOWN, moment, percent
from workbench.presenters.words import Word
from workbench.text import count

if TYPE_CHECKING:
    from evals.learning.calibration.drift import Tested
    from evals.learning.calibration.making import Checked

NONE = "none"


@dataclass(frozen=True, slots=True)
class PublishedLine:
    """One published calibration. `can_return` says that it can be used again."""

    number: int
    name: str
    current: bool
    when: str
    by: str
    window: str
    note: str
    can_return: bool


def published_lines(history: Sequence[PublishedCalibration]) -> tuple[PublishedLine, ...]:
    """The newest first, as `history` is: that one is in use."""
    return tuple(
        PublishedLine(
            number=own.number,
            name=own.name if own.calibration.cells else NONE,
            current=place == 0,
            when=moment(own.published_at),
            by=own.published_by,
            window=window(own.fitted),
            note=f"Back to {own.returns_to}. {own.note}" if own.returns_to else own.note,
            can_return=place > 0 and own.returns_to is None and own.name != history[0].name,
        )
        for place, own in enumerate(history)
    )


def window(fitted: FittedCalibration) -> str:
    """`learned from 5 Jan 2026 to 4 Jul 2026, as known 6 Jul 2026, 00:00 UTC`."""
    if fitted.data_from is None or fitted.data_until is None:
        return "learned from nothing"
    return f"learned from {day(fitted.data_from)} to {day(fitted.data_until)}, as known {known(fitted.as_of)}"


def in_use_sentence(published: PublishedCalibration | None) -> str:
    if published is None:
        return "None: the engine's confidence is reported as it is."
    if not published.calibration.cells:
        return "None, on purpose: the engine's confidence is reported as it is."
    whose = "everybody's" if published.for_everybody else "this tenant's"
    return f"{published.name}, {whose} number {published.number}, {window(published.fitted)}."


def alert_lines(checked: Checked) -> tuple[tuple[Word, str], ...]:
    """What is wrong: its kind, and the sentence with its figures."""
    return tuple((ALERTS[own.kind], alert_words(own)) for own in checked.alerts)


def checked_sentence(checked: Checked) -> str:
    """What the check rests on."""
    since = f"{count(checked.since, 'resolved outcome')} that it was not learned from"
    if not checked.tested:
        return f"{since}: too few to test whether it is still right."
    told = "; ".join(map(_tested, checked.tested[:4]))
    return f"{since}. {told}."


def day(when: datetime) -> str:
    """`6 Jul 2026`."""
    return f"{when.day} {when:%b %Y}"


def known(when: datetime) -> str:
    """`6 Jul 2026, 00:00 UTC`."""
    return f"{moment(when)} {when:%Z}".strip()


def _tested(own: Tested) -> str:
    luck = p_value(own.gap_p) or UNKNOWN
    return f"{cell_name(own.cell)}: says {percent(own.confidence)}, {percent(own.share)} of {own.n:,} came (p {luck})"

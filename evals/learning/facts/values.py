"""Facts as columns: one row per outcome, every column an array; and the counts of a cell.

Words are codes into labels, so that grouping is arithmetic. What is not known is code -1, NaN or NaT, never 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError
from engine.model.outcome import OutcomeStatus, OutcomeType

Array = NDArray[Any]
Flags = NDArray[np.bool_]

SIMULATED = "simulated"  # the tenant of the simulated world
UNKNOWN = -1  # the code of a word that is not known

# What outcomes are grouped, filtered and adjusted by.
DIMENSIONS = (
    "question_type", "target", "delivery", "engagement", "pain_depth", "stage", "persona", "channel", "analyzer",
    "model", "prompt", "fallback_reason", "calibration", "origin",
)  # fmt: skip
PLACED = ("conversation", "account", "contact")  # what a conversation says of its outcomes
WORDS = ("outcome_id", *PLACED, "action_type", *DIMENSIONS, "choices", "status", "source")
NUMBERS = ("interaction_count", "turn", "confidence", "calibrated_confidence", "propensity", "sent", "stage_advanced")
TIMES = ("recommended_at", "closes_at", "happened_at", "replaced_at", "recorded_at")
COLUMNS = (*WORDS, *NUMBERS, *TIMES)

RESOLVED = tuple(str(status) for status in OutcomeStatus if status.resolved)


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A column of words: `labels[codes[row]]`, or not known where the code is -1. Labels are distinct."""

    codes: NDArray[np.int32]
    labels: tuple[str, ...]

    @classmethod
    def of(cls, words: Sequence[str | None]) -> Coded:
        """The words as codes; labels in alphabetical order."""
        labels = tuple(sorted({word for word in words if word is not None}))
        code = {label: number for number, label in enumerate(labels)}
        codes = (UNKNOWN if word is None else code[word] for word in words)
        return cls(np.fromiter(codes, np.int32, len(words)), labels)

    def __len__(self) -> int:
        return len(self.codes)

    def words(self) -> list[str | None]:
        """The word of each row."""
        return [None if code < 0 else self.labels[code] for code in self.codes.tolist()]

    def equals(self, *words: str) -> Flags:
        """Which rows hold one of these words."""
        codes = [number for number, label in enumerate(self.labels) if label in words]
        return np.isin(self.codes, codes)

    def where(self, chosen: Array) -> Coded:
        return Coded(self.codes[chosen], self.labels)


Column = Array | Coded


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """Outcomes of one tenant and one type, as they were known at `as_of`.

    `columns` maps those of COLUMNS that were asked for: WORDS are `Coded`, NUMBERS are float64 (`sent` and
    `stage_advanced` 0 or 1), NaN where not known, TIMES are `datetime64[us]` in UTC, NaT where nothing came.
    `conversation` names the conversation, which is the unit that outcomes are resampled and folded by. `replaced_at` is
    when a newer question took this one's place. `resolved_until` is up to where was looked for windows that closed
    empty: later ones have not been looked at, and an answer in one of those is in no rate yet (see `resolved`).
    `looked_at` says so row by row, where outcomes of several origins were looked at up to several moments, of which
    `resolved_until` is the latest.
    """

    tenant: str
    outcome_type: OutcomeType
    as_of: datetime
    columns: Mapping[str, Column]
    resolved_until: datetime | None = None
    looked_at: Flags | None = None
    _length: int = field(init=False)

    def __post_init__(self) -> None:
        lengths = {len(column) for column in self.columns.values()}
        if len(lengths) > 1:
            raise ValueError(f"columns of different lengths: {sorted(lengths)}")
        object.__setattr__(self, "_length", lengths.pop() if lengths else 0)

    def __len__(self) -> int:
        return self._length

    def words(self, name: str) -> Coded:
        """A column of words. Raises KeyError if it was not asked for."""
        column = self.columns[name]
        if not isinstance(column, Coded):
            raise TypeError(f"{name} is no column of words")
        return column

    def array(self, name: str) -> Array:
        """A column of numbers or times. Raises KeyError if it was not asked for."""
        column = self.columns[name]
        if isinstance(column, Coded):
            raise TypeError(f"{name} is a column of words")
        return column

    @property
    def conversations(self) -> NDArray[np.int32]:
        """The conversation of each row as a number: the clusters."""
        return self.words("conversation").codes

    @property
    def positive(self) -> Flags:
        """Which rows had a reply (or progress) inside the window; whether it counts in a rate `resolved` says."""
        return self.words("status").equals(OutcomeStatus.POSITIVE)

    @property
    def resolved(self) -> Flags:
        """Which rows are in a rate: positive, negative or late, of windows that were looked at.

        An answer is known at once, silence only when the window has closed and somebody has looked. Newer rows that are
        positive already would be in the rate without the silent ones beside them.
        """
        found: Flags = self.words("status").equals(*RESOLVED)
        if self.looked_at is not None:
            return found & self.looked_at
        if self.resolved_until is None:
            return np.zeros(len(self), np.bool_)
        return found & (self.array("closes_at") <= moment64(self.resolved_until))

    def where(self, chosen: Array) -> Facts:
        """The rows that are chosen, by flags or by positions. Labels stay, so that codes keep their meaning."""
        columns = {
            name: column.where(chosen) if isinstance(column, Coded) else column[chosen]
            for name, column in self.columns.items()
        }
        looked_at = None if self.looked_at is None else self.looked_at[chosen]
        return Facts(self.tenant, self.outcome_type, self.as_of, columns, self.resolved_until, looked_at)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Row by row, for exports and tables: words and times as text, what is not known as None."""
        listed = {name: _plain(name, column) for name, column in self.columns.items()}
        for values in zip(*listed.values(), strict=True):
            yield dict(zip(listed, values, strict=True))


@dataclass(frozen=True, slots=True)
class Cell:
    """How the outcomes of one crossing stand. `key` has a word for each dimension asked for, None if not known.

    In the rate: `positive` of `resolved`, of which `late`. Beside it: `pending` (no answer yet, or nobody has looked),
    `early` (answered, but in a window newer than all that were looked at), `superseded`, `not_sent`. `sent` and
    `unsure_sent` count those known to be sent and those of which nobody said; `advanced` of `progress_known` moved to
    a further stage, and of the positive ones `answered_advanced` of `answered_progress_known`. `conversations` counts
    those with a resolved outcome, None if that was not asked for; `squares` is the sum over them of
    (positive - rate * resolved)^2, which the interval needs; where the tenant has very many outcomes both are estimated
    from some of the conversations.
    """

    key: tuple[str | None, ...]
    outcomes: int
    resolved: int
    positive: int
    late: int = 0
    pending: int = 0
    early: int = 0
    superseded: int = 0
    not_sent: int = 0
    sent: int = 0
    unsure_sent: int = 0
    advanced: int = 0
    progress_known: int = 0
    answered_advanced: int = 0
    answered_progress_known: int = 0
    conversations: int | None = None
    squares: float | None = None

    @property
    def rate(self) -> float | None:
        """The share that was answered in time; None where nothing is resolved."""
        return self.positive / self.resolved if self.resolved else None


def moment64(moment: datetime) -> np.datetime64:
    """A moment as the times of facts are kept. Raises InputError if it lacks its zone."""
    return np.datetime64(plain_moment(moment), "us")


def plain_moment(moment: datetime) -> datetime:
    """A moment in UTC without saying so, as DuckDB keeps it. Raises InputError if it lacks its zone."""
    if moment.tzinfo is None:
        raise InputError(f"{moment.isoformat()} is a time without its zone")
    return moment.astimezone(UTC).replace(tzinfo=None)


def _plain(name: str, column: Column) -> list[Any]:
    if isinstance(column, Coded):
        return column.words()
    if name in TIMES:
        texts = np.datetime_as_string(column.astype("datetime64[us]"), timezone="UTC")
        return [None if text == "NaT" else str(text) for text in texts.tolist()]
    values = [None if value != value else value for value in column.tolist()]
    if name in ("sent", "stage_advanced"):
        return [None if value is None else bool(value) for value in values]
    return [int(value) if value is not None and name in ("turn", "interaction_count") else value for value in values]

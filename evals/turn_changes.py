"""The turns that two runs counted differently in one metric: kept as columns, a value only for what is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np

from evals.inference.resampling import Array
from evals.metrics.metric import Positions
from evals.scoring import TurnKey


@dataclass(frozen=True, slots=True)
class TurnChange:
    """A turn that was counted differently. `gain` is what it alone does for the metric of the whole run.

    `first` and `second` are the metric of this turn alone, None where it has none (nothing to find, nothing found).
    """

    conversation_id: str
    turn: int
    gain: float
    first: float | None
    second: float | None


@dataclass(frozen=True, eq=False)
class TurnChanges(Sequence[TurnChange]):
    """Such turns in an order: 32 bytes each, among the `turns` of both runs. A slice of it copies nothing."""

    turns: tuple[TurnKey, ...]
    number: Positions  # of each of these turns among `turns`
    gain: Array
    first: Array  # NaN where there is none
    second: Array

    def __len__(self) -> int:
        return len(self.number)

    @overload
    def __getitem__(self, place: int) -> TurnChange: ...
    @overload
    def __getitem__(self, place: slice) -> TurnChanges: ...
    def __getitem__(self, place: int | slice) -> TurnChange | TurnChanges:
        if isinstance(place, slice):
            columns = {name: getattr(self, name)[place] for name in ("number", "gain", "first", "second")}
            return replace(self, **columns)
        id_, turn = self.turns[self.number[place]]
        return TurnChange(id_, turn, float(self.gain[place]), _defined(self.first[place]), _defined(self.second[place]))

    def of_turn(self, key: TurnKey) -> TurnChange | None:
        """The change of one turn; None if it is not among them."""
        if key not in self.turns:
            return None
        places = np.flatnonzero(self.number == self.turns.index(key))
        return self[int(places[0])] if len(places) else None


def keys_of(changes: Sequence[TurnChange]) -> tuple[TurnKey, ...]:
    """Conversation and turn of each, in their order."""
    if isinstance(changes, TurnChanges):
        return tuple(map(changes.turns.__getitem__, changes.number.tolist()))
    return tuple((change.conversation_id, change.turn) for change in changes)


def _defined(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None

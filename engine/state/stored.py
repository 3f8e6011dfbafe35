"""What a transaction knows to be stored of a state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.model.conversation import DealStage
from engine.state.driver import Row


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of a state. `now` is the time of everything that the transaction changes."""

    version: int
    stage: DealStage
    created_at: datetime
    now: datetime
    locked: bool

    @classmethod
    def of(cls, row: Row, *, locked: bool) -> Stored:
        return cls(row["version"], DealStage(row["deal_stage"]), row["created_at"], row["now"], locked)

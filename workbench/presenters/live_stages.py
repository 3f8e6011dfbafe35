"""The history of a deal's stage: from where to where, when, and by whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.model.conversation import DealStage
from workbench.presenters.figures import moment


@dataclass(frozen=True, slots=True)
class Moved:
    """One change of stage: from where to where, when, and by whom."""

    before: DealStage
    after: DealStage
    at: datetime
    by: str | None

    @property
    def about(self) -> str:
        """`23 Nov 2026, 02:05, by the presenter`."""
        return ", ".join(part for part in (moment(self.at), self.by) if part)

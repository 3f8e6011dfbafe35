"""What a report is about: two runs, their comparison, and the turns that moved most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evals.compare import Comparison


@dataclass(frozen=True, slots=True)
class ReportedRun:
    """One run as a report names it: what people call it, its id, and plainly where its answers came from."""

    name: str
    run_id: str
    source: str


@dataclass(frozen=True, slots=True)
class ReportedTurn:
    """A turn that was counted differently. All texts are as they were said; whoever draws them escapes them."""

    conversation_id: str
    title: str
    turn: int
    gain: str  # what it does for the metric of the run, with sign and unit
    first: str  # the metric of this turn alone
    second: str
    message: str  # the customer's
    label: str
    first_answer: str
    second_answer: str


@dataclass(frozen=True, slots=True)
class Report:
    """A comparison and all that a reader needs to believe it.

    `metric` is the title of the one that `best` and `worst` are about. `part` says which turns were compared, if not
    all; `notes` what else has to be known about the data.
    """

    comparison: Comparison
    first: ReportedRun
    second: ReportedRun
    dataset: str
    metric: str
    best: tuple[ReportedTurn, ...]
    worst: tuple[ReportedTurn, ...]
    made_at: datetime
    part: str = ""
    notes: tuple[str, ...] = ()

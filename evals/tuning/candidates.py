"""What a search found: every candidate with its parent and scores, the Pareto front, and why the search ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.model.analysis import FallbackReason
from engine.prompts import Prompt
from evals.tuning.pareto import front


class SearchEnd(StrEnum):
    """Why a search ended."""

    PERFECT = "nothing left to improve"
    PLATEAU = "no more progress"
    LIMIT = "limit reached"
    STOPPED = "stopped"
    UNANSWERED = "no model answered"


@dataclass(frozen=True, slots=True)
class FirstLook:
    """The mean scores of parent and candidate on the few turns on which a candidate is tried first."""

    parent: float
    own: float
    turns: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A prompt that was tried. `number` 0 is the one that the search began with; it alone has no parent.

    `scores` are means over all turns of the search by metric, 1 being as good as it gets; None for one that was given
    up after its first look, or when the search ended.
    """

    number: int
    prompt: Prompt
    parent: int | None = None
    first_look: FirstLook | None = None
    scores: Mapping[str, float] | None = None

    @property
    def score(self) -> float | None:
        """The mean over the metrics."""
        return sum(self.scores.values()) / len(self.scores) if self.scores else None

    @property
    def note(self) -> str:
        """The scores in words, to be kept with the version."""
        if self.scores is not None:
            figures = ", ".join(f"{name} {value:.3f}" for name, value in self.scores.items())
            return f"mean over the turns searched with: {figures}"
        if self.first_look is None:
            return "not tried to the end"
        look = self.first_look
        return f"given up: {look.own:.3f} on {look.turns} turns where its parent has {look.parent:.3f}"


@dataclass(frozen=True)
class Found:
    """The outcome of a search over `turns` turns. `refused` says of unusable proposals what was wrong with them.

    `reason` is why no model answered, where that is what ended it.
    """

    ended: SearchEnd
    candidates: tuple[Candidate, ...]
    refused: tuple[str, ...]
    turns: int
    reason: FallbackReason | None = None

    @property
    def scored(self) -> tuple[Candidate, ...]:
        """Those that were tried on every turn."""
        return tuple(own for own in self.candidates if own.scores is not None)

    @property
    def best(self) -> Candidate | None:
        """The candidate with the highest score, of equal ones the earliest; None if not even the first was scored."""
        return max(self.scored, key=lambda own: (own.score or 0.0, -own.number), default=None)

    @property
    def front(self) -> tuple[Candidate, ...]:
        """The candidates that no other beats in one metric without losing in another."""
        scored = self.scored
        return tuple(scored[position] for position in front([own.scores or {} for own in scored]))

"""From recommended to sent to replied to stage advanced: how many came so far, how many not, and what is unknown."""

from __future__ import annotations

from dataclasses import dataclass

from evals.learning.facts.values import Cell


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """Of those who came to the step before: `reached`, `stopped`, and `unknown`, which are neither.

    `share` is reached / (reached + stopped), None where nothing is known.
    """

    name: str
    reached: int
    stopped: int
    unknown: int

    @property
    def share(self) -> float | None:
        known = self.reached + self.stopped
        return self.reached / known if known else None


def funnel(cell: Cell) -> tuple[FunnelStep, ...]:
    """The steps of a cell's outcomes.

    A question of which nobody said whether it was sent counts as sent in rates; here it is `unknown` at that step, and
    goes on to the next. A reply is unknown while the window is open, nobody has looked, or a newer question took the
    place; progress where a deal's window is not over.
    """
    unresolved = cell.pending + cell.early + cell.superseded
    return (
        FunnelStep("recommended", cell.outcomes, 0, 0),
        FunnelStep("sent", cell.sent, cell.not_sent, cell.unsure_sent),
        FunnelStep("replied", cell.positive, cell.resolved - cell.positive, unresolved),
        FunnelStep(
            "stage advanced",
            cell.answered_advanced,
            cell.answered_progress_known - cell.answered_advanced,
            cell.positive - cell.answered_progress_known,
        ),
    )

"""What the gate says of a prompt set: the verdict, everything that was looked at, and the turns that say why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from evals.gates import Outcome
from evals.inference.verdict import Verdict
from evals.metrics.metric import Metric
from evals.records import Estimate
from evals.tuning.must_not_break import ProtectedTurn
from evals.tuning.promotion_runs import MissingRun

Kind = Literal["runs", "data", "metric", "limit", "gate", "must not break", "verdict"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `reason` is a sentence with its figures, `figure` the one that decided."""

    kind: Kind
    about: str
    outcome: Outcome
    reason: str
    dataset: str | None = None
    figure: Estimate | None = None
    blocks: bool = False


@dataclass(frozen=True, slots=True)
class ComparedRuns:
    """Two runs that were compared, on how much, and of how many that would have done each is the first."""

    dataset: str
    production: str
    candidate: str
    turns: int
    conversations: int
    production_runs: int = 1
    candidate_runs: int = 1


@dataclass(frozen=True, slots=True)
class TellingTurn:
    """A turn that the candidate answered otherwise. `gain` is what it alone does for the metric of the whole run.

    `before` and `after` are the metric of this turn alone; None where it has none.
    """

    dataset: str
    conversation_id: str
    turn: int
    metric: Metric
    gain: float
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class BrokenTurn:
    """A turn that must not break and did: `what` was right with the prompts in production, and is not any more."""

    protected: ProtectedTurn
    what: tuple[str, ...]
    production: str
    candidate: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a prompt set may go into production.

    `verdict` is about its quality on all data sets together; `neutral` says that the change was meant to make no
    difference. `turns` are the worst ones, of the metrics that got worse if any did.
    """

    candidate: str
    production: str
    neutral: bool
    verdict: Verdict
    findings: tuple[Finding, ...]
    runs: tuple[ComparedRuns, ...] = ()
    missing: tuple[MissingRun, ...] = ()
    broken: tuple[BrokenTurn, ...] = ()
    turns: tuple[TellingTurn, ...] = ()

    @property
    def blocking(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.blocks)

    @property
    def passed(self) -> bool:
        return not self.blocking

    @property
    def sentence(self) -> str:
        """The decision in a sentence: `blocked: worse: ...`."""
        if self.passed:
            return f"passed: {self.verdict}"
        return f"blocked ({self.verdict}): " + "; ".join(finding.reason for finding in self.blocking)

    def evidence(self) -> dict[str, Any]:
        """The decision as JSON: what a release keeps of it."""
        return {
            "passed": self.passed,
            "verdict": self.verdict.value,
            "neutral": self.neutral,
            "candidate": self.candidate,
            "production": self.production,
            "runs": [
                {
                    "dataset": own.dataset,
                    "production": own.production,
                    "candidate": own.candidate,
                    "turns": own.turns,
                    "conversations": own.conversations,
                    "production_runs": own.production_runs,
                    "candidate_runs": own.candidate_runs,
                }
                for own in self.runs
            ],
            "missing": [
                {"dataset": own.dataset, "prompts": own.prompts, "command": own.command} for own in self.missing
            ],
            "findings": list(self._findings()),
            "broken": [
                {
                    "dataset": own.protected.dataset,
                    "conversation": own.protected.conversation_id,
                    "turn": own.protected.turn,
                    "why": own.protected.why,
                    "what": list(own.what),
                }
                for own in self.broken
            ],
            "turns": [
                {
                    "dataset": own.dataset,
                    "conversation": own.conversation_id,
                    "turn": own.turn,
                    "metric": own.metric.name,
                    "gain": own.gain,
                    "before": own.before,
                    "after": own.after,
                }
                for own in self.turns
            ],
        }

    def _findings(self) -> Iterator[dict[str, Any]]:
        for own in self.findings:
            yield {
                "kind": own.kind,
                "about": own.about,
                "dataset": own.dataset,
                "outcome": own.outcome.value,
                "blocks": own.blocks,
                "reason": own.reason,
                "figure": None if own.figure is None else own.figure.model_dump(),
            }

"""A trial turn by turn: what was concluded before and after the change, which of them is better, the worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.model.analysis import Analysis
from engine.model.conversation import Conversation
from engine.model.qualification import AnySignal, ListSignal
from evals.records import Failure
from evals.tuning.trials import Trial, TrialRow
from workbench.presenters.words import DIMENSIONS, QUESTION_TYPES
from workbench.text import clip, count

_EXCERPT = 140
_NOTHING = "nothing"

Moved = Literal["better", "worse", "same", "not judged"]


@dataclass(frozen=True, slots=True)
class TrialLine:
    """One turn of a trial. `moved` is by the scores of the turn alone; `scores` are those, in words."""

    conversation: str
    turn: int
    title: str
    excerpt: str
    before: str
    after: str | None
    moved: Moved
    scores: str


def lines(found: Trial, prompt: str, conversations: Mapping[str, Conversation]) -> tuple[TrialLine, ...]:
    """The turns that got worse first, then better ones, then those that stayed, and last what nobody could judge."""
    order: Mapping[Moved, int] = {"worse": 0, "better": 1, "same": 2, "not judged": 3}
    made = [
        (line, -abs(row.score_change or 0.0))
        for row in found.rows
        if (line := _line(row, prompt, conversations.get(row.conversation)))
    ]
    return tuple(line for line, _ in sorted(made, key=lambda item: (order[item[0].moved], item[1])))


def tally(found: Sequence[TrialLine]) -> str:
    """`3 turns better, 1 worse, 15 the same, 1 not judged`."""
    number = {moved: sum(line.moved == moved for line in found) for moved in ("better", "worse", "same", "not judged")}
    words = {"same": "the same"}
    parts = [f"{number[moved]:,} {words.get(moved, moved)}" for moved in number if number[moved]]
    return f"{count(len(found), 'turn')}: {', '.join(parts)}" if parts else ""


def concluded(prompt: str, result: Analysis | Failure | None) -> str | None:
    """What the answer to `prompt` says, in a line; None where there is none yet."""
    if result is None:
        return None
    if isinstance(result, Failure):
        return f"failed: {result.error}"
    if prompt == "extraction":
        signals = result.extraction.found.signals
        told = [(DIMENSIONS[own].name, _value(signal)) for own, signal in signals.items()]
        return "; ".join(f"{name}: {value}" for name, value in told if value) or _NOTHING
    if prompt == "expansion":
        return ", ".join(own.mentioned_name_or_role for own in result.expansion.triggers) or "nobody"
    asked = result.question.recommendation
    return f"{QUESTION_TYPES[asked.question_type].name}: {asked.suggested_question or _NOTHING}"


def _value(signal: AnySignal) -> str:
    return ", ".join(signal.values) if isinstance(signal, ListSignal) else signal.value or ""


def _line(row: TrialRow, prompt: str, conversation: Conversation | None) -> TrialLine | None:
    if conversation is None:
        return None
    before, after = (score.value if score else None for score in (row.old_score, row.new_score))
    return TrialLine(
        row.conversation,
        row.turn,
        conversation.title,
        clip(" ".join(conversation.turns[row.turn].text.split()), _EXCERPT),
        concluded(prompt, row.old) or _NOTHING,
        concluded(prompt, row.new),
        _moved(row.score_change),
        f"{_score(before)} → {_score(after)}",
    )


def _moved(change: float | None) -> Moved:
    if change is None:
        return "not judged"
    return "same" if abs(change) < 1e-9 else "better" if change > 0 else "worse"


def _score(value: float | None) -> str:
    return "—" if value is None else f"{value:.2f}"

"""The turns that were counted differently: which moved a measure most, and what they are about."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from engine.model.conversation import Conversation, DealStage
from evals.compare import Comparison, Row
from evals.dataset_manifest import Split
from evals.inference.verdict import Verdict
from evals.labels import TurnLabel, TurnLabels
from evals.library import Dataset
from evals.metrics.metric import Metric
from evals.report import figures
from evals.report.verdicts import family_of, is_measured
from evals.slices import stage_at
from evals.turn_changes import TurnChange, keys_of
from workbench.presenters.words import CHANNELS, ENGAGEMENTS, PERSONAS, STAGES
from workbench.text import clip

ON_A_PAGE = 8
_EXCERPT = 84
Order = Literal["worse", "better"]


@dataclass(frozen=True, eq=False)
class Talks:
    """The conversations of a data set by their ids, to be found at once among many, and their labels."""

    by_id: Mapping[str, Conversation]
    labels: Mapping[str, TurnLabels]
    split: Mapping[str, Split]

    @classmethod
    def of(cls, dataset: Dataset) -> Talks:
        return cls({item.id: item for item in dataset.conversations}, dataset.labels, dataset.split)

    @cached_property
    def titles(self) -> Mapping[str, str]:
        return {id_: item.title for id_, item in self.by_id.items()}

    @cached_property
    def stages(self) -> tuple[DealStage, ...]:
        """Those that any conversation was ever in."""
        found = {item.opening_stage for item in self.by_id.values()}
        found |= {change.to for item in self.by_id.values() for change in item.stage_changes}
        return tuple(stage for stage in DealStage if stage in found)

    def label(self, conversation_id: str, turn: int) -> TurnLabel | None:
        return self.labels.get(conversation_id, {}).get(turn)


@dataclass(frozen=True, slots=True)
class TurnLine:
    """One turn of the list. `moved` is what it alone does for the measure of the run, `about` who and how."""

    conversation_id: str
    turn: int
    title: str
    moved: str
    better: bool
    before: str
    after: str
    about: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class TurnList:
    """The turns that got worse, or better, most first; one page of `lines`, numbered from 1."""

    lines: tuple[TurnLine, ...]
    keys: Sequence[tuple[str, int]]  # of all turns in this order, not of this page alone
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Moves:
    """How many turns moved which way; `without` were counted differently and moved nothing."""

    worse: int
    better: int
    without: int


def choices(comparison: Comparison) -> tuple[Row, ...]:
    """The measures by which turns can be looked at: those that count some turn differently, breakdowns last."""
    telling = [row for row in comparison.rows if row.turns_differing and is_measured(row)]
    return tuple(sorted(telling, key=lambda row: row.metric.detail))


def first_choice(rows: Sequence[Row]) -> str | None:
    """What to look at first: a quality that got worse, else one that got better, else that of most turns."""
    quality = [row for row in rows if family_of(row) != "operations" and not row.metric.detail] or list(rows)
    for verdict in (Verdict.WORSE, Verdict.BETTER):
        if (decided := next((row for row in quality if row.verdict is verdict), None)) is not None:
            return decided.metric.name
    return max(quality, key=lambda row: row.turns_differing).metric.name if quality else None


def moves(changes: Sequence[TurnChange]) -> Moves:
    """`changes` begin with the largest gain, here and below, so that few of many have to be looked at."""
    better, upto = _bounds(changes)
    return Moves(len(changes) - upto, better, upto - better)


def ordered(changes: Sequence[TurnChange], order: Order) -> Sequence[TurnChange]:
    """Those that moved this way, the one that moved most first."""
    better, upto = _bounds(changes)
    return changes[:better] if order == "better" else changes[upto:][::-1]


def _bounds(changes: Sequence[TurnChange]) -> tuple[int, int]:
    """How many gained, and how many did not lose."""
    return bisect_left(changes, 0.0, key=_loss), bisect_right(changes, 0.0, key=_loss)


def _loss(change: TurnChange) -> float:
    return -change.gain


def turn_list(talks: Talks, metric: Metric, changes: Sequence[TurnChange], page: int) -> TurnList:
    """The page of these `changes`, or the nearest there is."""
    pages = max(1, -(-len(changes) // ON_A_PAGE))
    page = min(max(1, page), pages)
    shown = changes[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
    lines = tuple(line(talks, metric, change) for change in shown)
    return TurnList(lines, keys_of(changes), page, pages)


def line(talks: Talks, metric: Metric, change: TurnChange) -> TurnLine:
    conversation = talks.by_id[change.conversation_id]
    label = talks.label(change.conversation_id, change.turn)
    about = [
        PERSONAS[conversation.persona].name,
        CHANNELS[conversation.channel_of(conversation.turns[change.turn])].name,
        STAGES[stage_at(conversation, change.turn)].name,
    ]
    return TurnLine(
        conversation_id=change.conversation_id,
        turn=change.turn,
        title=conversation.title,
        moved=moved(metric, change),
        better=change.gain > 0,
        before=figures.value(change.first, metric.unit),
        after=figures.value(change.second, metric.unit),
        about=" · ".join([*about, ENGAGEMENTS[label.engagement].name] if label else about),
        excerpt=clip(conversation.turns[change.turn].text, _EXCERPT),
    )


def moved(metric: Metric, change: TurnChange) -> str:
    """How far the measure of the whole run moves, upwards for better: one turn of many moves it little."""
    scale, unit = (100.0, " pts") if metric.unit in ("share", "score") else (1.0, f" {metric.unit}")
    size = abs(scale * change.gain)
    digits = 2 if size >= 0.1 else 3 if size >= 0.01 else 4
    return f"{'+' if change.gain > 0 else figures.MINUS}{size:.{digits}f}{unit}"

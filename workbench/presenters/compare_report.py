"""What the report of a comparison says beside the figures: the runs, their sources, and the turns that moved most."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from engine.model.conversation import Conversation
from evals.compare import Comparison
from evals.labels import TurnLabel
from evals.metrics.metric import Metric
from evals.report import Report, ReportedRun, ReportedTurn
from evals.runs.rows import RunRow
from evals.slices import Slice
from evals.turn_changes import TurnChange
from workbench.presenters.compare_turns import Talks, line, ordered
from workbench.presenters.sides import Side
from workbench.presenters.words import CHANNELS, DEPTHS, DIMENSIONS, ENGAGEMENTS, PERSONAS, QUESTION_TYPES, STAGES, Word

TURNS = 10  # the worst, and the best
_SOURCES = {
    "rules": "fixed rules, no model",
    "recorded": "recorded answers, played back",
    "labels": "the labels themselves",
}
EXAMPLE_NOTE = (
    "Example data that comes with the project: conversations, labels and recorded answers were written by language "
    "models, so agreement with them is an upper bound."
)

_WORDS: tuple[Mapping[Any, Word], ...] = (PERSONAS, CHANNELS, STAGES, ENGAGEMENTS)
SideOf = Callable[[RunRow, str], Side]  # a run and a conversation


def report(
    comparison: Comparison,
    dataset: str,
    talks: Talks,
    rows: tuple[RunRow, RunRow],
    names: tuple[str, str],
    metric: Metric,
    changes: Sequence[TurnChange],
    part: Slice,
    notes: Iterable[str],
    side_of: SideOf,
) -> Report:
    """The comparison with its worst and best turns by one metric; `side_of` reads what a run said."""

    def turns(order: Sequence[TurnChange]) -> tuple[ReportedTurn, ...]:
        return tuple(_turn(talks, metric, change, rows, side_of) for change in order[:TURNS])

    first, second = (ReportedRun(name, row.run_id, source_words(row)) for name, row in zip(names, rows, strict=True))
    return Report(
        comparison=comparison,
        first=first,
        second=second,
        dataset=dataset,
        metric=metric.title,
        best=turns(ordered(changes, "better")),
        worst=turns(ordered(changes, "worse")),
        made_at=datetime.now(UTC),
        part=part_words(part, talks),
        notes=tuple(notes),
    )


def source_words(row: RunRow) -> str:
    """Where a run's answers came from, plainly."""
    models = ", ".join(sorted({model for model in (row.reasoning_model, row.fast_model) if model}))
    variant, _, policy = row.variant.partition(", ")
    source = _SOURCES.get(variant, "asked in an earlier run" if policy else "asked in this run")
    told = f"{source} ({models})" if models else source
    return f"{told}; judged again without asking: {policy}" if policy else told


def part_words(part: Slice, talks: Talks) -> str:
    """`Only: Manager; Email or Chat.`; nothing where all turns are compared."""
    names: dict[str, str] = {
        **{str(kind): word.name for words in _WORDS for kind, word in words.items()},
        **{id_: talks.by_id[id_].title for id_ in part.conversations if id_ in talks.by_id},
    }
    chosen = [[names.get(str(kind), f"{kind} part") for kind in getattr(part, field.name)] for field in fields(part)]
    told = "; ".join(" or ".join(own) for own in chosen if own)
    return f"Only: {told}." if told else ""


def label_words(label: TurnLabel | None) -> str:
    """What people say holds at a turn, in one line."""
    if label is None:
        return ""
    dimensions = ", ".join(f"{DIMENSIONS[item.dimension].name}: {item.value}" for item in label.dimensions)
    parts = [
        f"{ENGAGEMENTS[label.engagement].name.lower()}",
        f"pain {DEPTHS[label.pain_depth].name.lower()}",
        "backs off" if label.back_off else "may go on",
        " or ".join(QUESTION_TYPES[kind].name.lower() for kind in label.question_types),
        dimensions or "no dimension",
    ]
    return "; ".join(parts)


def _turn(
    talks: Talks, metric: Metric, change: TurnChange, rows: tuple[RunRow, RunRow], side_of: SideOf
) -> ReportedTurn:
    conversation = talks.by_id[change.conversation_id]
    shown = line(talks, metric, change)
    first, second = (_answer(side_of(row, conversation.id), change.turn) for row in rows)
    return ReportedTurn(
        conversation_id=conversation.id,
        title=conversation.title,
        turn=change.turn,
        gain=shown.moved,
        first=shown.before,
        second=shown.after,
        message=_message(conversation, change.turn),
        label=label_words(talks.label(conversation.id, change.turn)),
        first_answer=first,
        second_answer=second,
    )


def _message(conversation: Conversation, turn: int) -> str:
    return conversation.turns[turn].text


def _answer(side: Side, turn: int) -> str:
    """The question, and below it what was read from the message."""
    analysis = side.analysis(turn)
    if analysis is None:
        return "no answer"
    found = analysis.extraction.found
    read = ", ".join(f"{DIMENSIONS[own].name}: {found.signal(own).value}" for own in found.identified)
    recommendation = analysis.question.recommendation
    kind = QUESTION_TYPES[recommendation.question_type].name.lower()
    sensed = ENGAGEMENTS[recommendation.engagement_signal].name.lower()
    asked = f"“{recommendation.suggested_question}” " if recommendation.suggested_question else ""
    return f"{asked}({kind}; {sensed}). Read: {read or 'nothing'}."

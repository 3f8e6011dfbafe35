"""What people said about a turn beside what the runs concluded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from engine import memory
from engine.model.analysis import Analysis
from engine.model.qualification import Dimension
from engine.model.state import ConversationState
from engine.people import same_person
from evals.labels import TurnLabel
from workbench.presenters.sides import Side
from workbench.presenters.words import DEPTHS, DIMENSIONS, ENGAGEMENTS, QUESTION_TYPES


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a side says, and whether it agrees with the label."""

    said: str
    agrees: bool


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One thing that the label speaks about; a verdict is None where the side has no answer."""

    aspect: str
    label: str
    verdicts: tuple[Verdict | None, ...]


_Judge = Callable[[TurnLabel, Analysis, ConversationState], Verdict]


def against_label(label: TurnLabel, sides: Sequence[Side]) -> tuple[LabelRow, ...]:
    """Engagement, pain depth, probing, question type, dimensions and people of the turn that `label` is about."""
    said = {
        "Engagement": (ENGAGEMENTS[label.engagement].name, _engagement),
        "Pain depth": (DEPTHS[label.pain_depth].name, _depth),
        "Probing": (_probing(label.back_off), _back_off),
        "Question": (" or ".join(QUESTION_TYPES[kind].name.lower() for kind in label.question_types), _question_type),
        "Dimensions": (_named({item.dimension for item in label.dimensions}), _dimensions),
        "People": (", ".join(person.mention for person in label.people) or "nobody", _people),
    }
    return tuple(
        LabelRow(aspect, text, tuple(_judged(judge, label, side) for side in sides))
        for aspect, (text, judge) in said.items()
    )


def _judged(judge: _Judge, label: TurnLabel, side: Side) -> Verdict | None:
    analysis, after = side.analysis(label.turn), side.after(label.turn)
    return None if analysis is None or after is None else judge(label, analysis, after)


def _engagement(label: TurnLabel, analysis: Analysis, _: ConversationState) -> Verdict:
    said = analysis.question.recommendation.engagement_signal
    return Verdict(ENGAGEMENTS[said].name, said is label.engagement)


def _depth(label: TurnLabel, _: Analysis, after: ConversationState) -> Verdict:
    said = memory.pain(after).depth
    return Verdict(DEPTHS[said].name, said is label.pain_depth)


def _back_off(label: TurnLabel, _: Analysis, after: ConversationState) -> Verdict:
    said = memory.pain(after).backing_off
    return Verdict(_probing(said), said == label.back_off)


def _question_type(label: TurnLabel, analysis: Analysis, _: ConversationState) -> Verdict:
    said = analysis.question.recommendation.question_type
    return Verdict(QUESTION_TYPES[said].name.lower(), said in label.question_types)


def _dimensions(label: TurnLabel, analysis: Analysis, _: ConversationState) -> Verdict:
    """The dimensions for which this very message is quoted, as the label's are."""
    signals = analysis.extraction.found.signals.items()
    said = {dimension for dimension, signal in signals if any(item.turn == label.turn for item in signal.evidence)}
    return Verdict(_named(said), said == {item.dimension for item in label.dimensions})


def _people(label: TurnLabel, analysis: Analysis, _: ConversationState) -> Verdict:
    said = [trigger.mentioned_name_or_role for trigger in analysis.expansion.triggers]
    meant = [person.mention for person in label.people]
    return Verdict(", ".join(said) or "nobody", _all_among(said, meant) and _all_among(meant, said))


def _all_among(names: Collection[str], others: Collection[str]) -> bool:
    return all(any(same_person(name, other) for other in others) for name in names)


def _probing(back_off: bool) -> str:
    return "backs off" if back_off else "may go on"


def _named(dimensions: Collection[Dimension]) -> str:
    return ", ".join(DIMENSIONS[dimension].name.lower() for dimension in Dimension if dimension in dimensions) or "none"

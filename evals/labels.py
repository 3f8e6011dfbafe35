"""What people say about a customer turn: the shape of a label, and which labels cannot be right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from engine.model.conversation import Conversation, Identifier, Speaker
from engine.model.qbs import EngagementSignal, PainDepthLevel, QBSQuestionType
from engine.model.qualification import Dimension
from engine.model.value import Value
from evals.jsonl import Problem
from evals.shapes import read_shapes

Text = Annotated[str, StringConstraints(min_length=1)]


class DimensionLabel(Value):
    """A qualification dimension about which the turn says something, with the words that say it."""

    dimension: Dimension
    value: Text
    quote: Text


class PersonLabel(Value):
    """A person, team or role at the customer's side that the turn mentions."""

    mention: Text
    quote: Text


class TurnLabel(Value):
    """What holds at one customer turn, read with the turns before it and never with those after it.

    `pain_depth` is the deepest so far. `question_types` are all that an excellent seller could reasonably ask
    next. Quotes are verbatim passages of the turn.
    """

    conversation_id: Identifier
    turn: int = Field(ge=0)
    engagement: EngagementSignal
    pain_depth: PainDepthLevel
    dimensions: tuple[DimensionLabel, ...] = ()
    people: tuple[PersonLabel, ...] = ()
    back_off: bool
    question_types: tuple[QBSQuestionType, ...] = Field(min_length=1)

    @property
    def key(self) -> tuple[str, int]:
        return (self.conversation_id, self.turn)


@dataclass(frozen=True, slots=True)
class LabelLine:
    """A label and the line it stands on."""

    label: TurnLabel
    line: int


TurnLabels = Mapping[int, TurnLabel]  # of one conversation, by turn


def read_labels(file: Path) -> tuple[tuple[LabelLine, ...], tuple[Problem, ...]]:
    """The labels of `file` in order, and what is wrong with its other lines; a turn labelled twice is wrong."""
    lines: dict[tuple[str, int], LabelLine] = {}
    problems: list[Problem] = []
    for found in read_shapes(TurnLabel, file):
        if isinstance(found, Problem):
            problems.append(found)
            continue
        label, number = found.value, found.line.number
        if (earlier := lines.get(label.key)) is not None:
            text = f"{label.conversation_id} turn {label.turn} is labelled twice, first on line {earlier.line}"
            problems.append(Problem(text, file, number, label.turn))
        else:
            lines[label.key] = LabelLine(label, number)
    return tuple(lines.values()), tuple(problems)


def label_problems(
    lines: Sequence[LabelLine], conversations: Mapping[str, Conversation], file: Path
) -> Iterator[Problem]:
    """Everything in which the labels do not fit the conversations that they are about."""
    by_conversation: defaultdict[str, list[LabelLine]] = defaultdict(list)
    for line in lines:
        if line.label.conversation_id in conversations:
            by_conversation[line.label.conversation_id].append(line)
        else:
            text = f"there is no conversation {line.label.conversation_id!r} here"
            yield Problem(text, file, line.line, line.label.turn)
    for conversation_id, own in by_conversation.items():
        yield from _problems_of_one(sorted(own, key=lambda item: item.label.turn), conversations[conversation_id], file)


def by_turn(labels: Iterable[TurnLabel]) -> dict[str, dict[int, TurnLabel]]:
    """Labels by conversation, then by turn."""
    found: defaultdict[str, dict[int, TurnLabel]] = defaultdict(dict)
    for label in labels:
        found[label.conversation_id][label.turn] = label
    return dict(found)


def _problems_of_one(lines: Sequence[LabelLine], conversation: Conversation, file: Path) -> Iterator[Problem]:
    deepest = PainDepthLevel.NOT_EXPLORED
    for line in lines:
        label = line.label
        for text in (*_misplaced(label, conversation), *_contradictions(label, deepest)):
            yield Problem(text, file, line.line, label.turn)
        deepest = deepest.at_least(label.pain_depth)
    labelled = {line.label.turn for line in lines}
    for turn in conversation.customer_turns:
        if turn.index not in labelled:
            text = f"{conversation.id}: this customer turn has no label, though others of the conversation have"
            yield Problem(text, file, turn=turn.index)


def _misplaced(label: TurnLabel, conversation: Conversation) -> Iterator[str]:
    """A turn that is not there or not the customer's, and quotes that are not in it."""
    where = f"{conversation.id} turn {label.turn}"
    if label.turn >= len(conversation.turns):
        yield f"{where} does not exist; the last turn is {len(conversation.turns) - 1}"
        return
    turn = conversation.turns[label.turn]
    if turn.speaker is not Speaker.CUSTOMER:
        yield f"{where} is the {turn.speaker}'s; only customer turns carry labels"
        return
    for position, dimension in enumerate(label.dimensions):
        if dimension.quote not in turn.text:
            yield f"{where}: the quote of dimensions[{position}] ({dimension.dimension}) is not in the turn's text"
    for position, person in enumerate(label.people):
        if person.quote not in turn.text:
            yield f"{where}: the quote of people[{position}] is not in the turn's text"


def _contradictions(label: TurnLabel, deepest: PainDepthLevel) -> Iterator[str]:
    """What cannot be true together: depth that goes back, and probing while backing off."""
    where = f"{label.conversation_id} turn {label.turn}"
    if label.pain_depth.rank < deepest.rank:
        yield f"{where}: pain depth goes back from {deepest} to {label.pain_depth}; it is the deepest so far"
    if label.back_off and (probing := [kind.value for kind in label.question_types if kind.probes]):
        yield f"{where}: back_off is true, but {' and '.join(probing)} would probe"
    if len(set(label.question_types)) < len(label.question_types):
        yield f"{where}: a question type is named twice"

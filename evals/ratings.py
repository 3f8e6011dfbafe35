"""`ratings.jsonl` of a data set: what people say of recommended questions, on the scales that a model judges by too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from engine.model.conversation import Conversation, Identifier, ShortText, Speaker
from engine.model.value import Value
from evals.jsonl import Problem
from evals.judgements import Rating, Scale, TurnQuestion, turn_question
from evals.shapes import read_shapes

RATINGS = "ratings.jsonl"


class QuestionRating(Value):
    """What `rater` says of one question after one customer turn; at least one of the scales is rated.

    People rate without knowing who or what recommended the question.
    """

    conversation_id: Identifier
    turn: int = Field(ge=0)
    question: Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
    rater: ShortText
    naturalness: Rating | None = None
    value_first: Rating | None = None
    note: str = ""

    @model_validator(mode="after")
    def _rates_something(self) -> Self:
        if not self.rater:
            raise ValueError("rater is empty; say who rated, by a name or initials")
        if self.naturalness is None and self.value_first is None:
            raise ValueError("nothing is rated: fill in naturalness or value_first (1 to 4), or remove the line")
        return self

    @property
    def about(self) -> TurnQuestion:
        return turn_question(self.conversation_id, self.turn, self.question)

    @property
    def key(self) -> tuple[TurnQuestion, str]:
        return (self.about, self.rater)

    def rating(self, scale: Scale) -> int | None:
        return self.naturalness if scale is Scale.NATURALNESS else self.value_first


@dataclass(frozen=True, slots=True)
class RatingLine:
    """A rating and the line it stands on."""

    rating: QuestionRating
    line: int


def read_ratings(
    folder: Path, conversations: Mapping[str, Conversation]
) -> tuple[tuple[QuestionRating, ...], tuple[Problem, ...]]:
    """The ratings of the data set in `folder`, and what is wrong with its lines; nothing of either without the file.

    `conversations` are those of the data set by id. One person rates a question once.
    """
    file = folder / RATINGS
    if not file.exists():
        return (), ()
    found = list(read_shapes(QuestionRating, file))
    lines = [RatingLine(item.value, item.line.number) for item in found if not isinstance(item, Problem)]
    problems = [item for item in found if isinstance(item, Problem)]
    problems += [*_misplaced(lines, conversations, file), *_repeated(lines, file)]
    return tuple(line.rating for line in lines), tuple(problems)


def _misplaced(lines: Sequence[RatingLine], conversations: Mapping[str, Conversation], file: Path) -> Iterator[Problem]:
    """Ratings of what is not there, or not a customer's turn."""
    for line in lines:
        id_, turn = line.rating.conversation_id, line.rating.turn
        conversation = conversations.get(id_)
        if conversation is None:
            yield Problem(f"there is no conversation {id_!r} here", file, line.line, turn)
        elif turn >= len(conversation.turns):
            last = len(conversation.turns) - 1
            yield Problem(f"{id_} turn {turn} does not exist; the last turn is {last}", file, line.line, turn)
        elif (speaker := conversation.turns[turn].speaker) is not Speaker.CUSTOMER:
            text = f"{id_} turn {turn} is the {speaker}'s; questions are recommended after customer turns only"
            yield Problem(text, file, line.line, turn)


def _repeated(lines: Sequence[RatingLine], file: Path) -> Iterator[Problem]:
    first: dict[tuple[TurnQuestion, str], int] = {}
    for line in lines:
        earlier = first.setdefault(line.rating.key, line.line)
        if earlier != line.line:
            text = f"{line.rating.rater} rates this question twice, first on line {earlier}"
            yield Problem(text, file, line.line, line.rating.turn)

"""Ratings of questions on a scale of 1 to 4, by a model that judges; which question is meant, and which judge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import Field

from engine.errors import InputError
from engine.model.analysis import Source
from engine.model.conversation import Identifier
from engine.model.value import Value
from evals.records import Failure, TurnRecord

LEAST, MOST = 1, 4
GOOD = 3  # a rating from which on a question can be sent

Rating = Annotated[int, Field(ge=LEAST, le=MOST)]


class Scale(StrEnum):
    """What is rated. The rubric (evals/prompts/judgement) says what each number means."""

    NATURALNESS = "naturalness"
    VALUE_FIRST = "value_first"


class TurnQuestion(NamedTuple):
    """What was recommended to be said after one customer turn, whoever recommended it; white space does not count."""

    conversation_id: str
    turn: int
    text: str


class Judge(Value):
    """Who judges: a model by a rubric (`name@hash`). Ratings of different judges are never put together."""

    model: str
    rubric: str


class Judgement(Value):
    """What one judge said of one question, the `repeat`-th time it was asked (from 0). Never says whose question it is.

    `source` says which model by which rubric, and what it cost.
    """

    conversation_id: Identifier
    turn: int = Field(ge=0)
    question: str
    repeat: int = Field(ge=0)
    naturalness: Rating
    value_first: Rating
    reason: str = ""
    source: Source

    @property
    def about(self) -> TurnQuestion:
        return turn_question(self.conversation_id, self.turn, self.question)

    @property
    def judge(self) -> Judge:
        return Judge(model=self.source.model or "", rubric=self.source.prompt or "")

    @property
    def key(self) -> tuple[TurnQuestion, str, str, int]:
        """What is asked and paid for once: question, model, rubric, repeat."""
        return (self.about, self.judge.model, self.judge.rubric, self.repeat)

    def rating(self, scale: Scale) -> int:
        return self.naturalness if scale is Scale.NATURALNESS else self.value_first


def turn_question(conversation_id: str, turn: int, text: str) -> TurnQuestion:
    return TurnQuestion(conversation_id, turn, " ".join(text.split()))


def question_of(record: TurnRecord) -> TurnQuestion | None:
    """What the seller would have seen: the recommendation after the guardrails. None if there is no text to judge."""
    if isinstance(record.result, Failure):
        return None
    found = turn_question(record.conversation_id, record.turn, record.result.question.recommendation.suggested_question)
    return found if found.text else None


def by_question(judgements: Iterable[Judgement]) -> Mapping[TurnQuestion, Sequence[Judgement]]:
    """The judgements of one judge by what they are about. Raises InputError if several judges are among them."""
    found: defaultdict[TurnQuestion, list[Judgement]] = defaultdict(list)
    judges = set()
    for judgement in judgements:
        judges.add(judgement.judge)
        found[judgement.about].append(judgement)
    if len(judges) > 1:
        names = " and ".join(sorted(f"{judge.model} by {judge.rubric}" for judge in judges))
        raise InputError(f"these ratings are of several judges ({names}); choose one of them")
    return found


def shared_judge(*runs: Iterable[Judgement]) -> Judge | None:
    """The judge who judged every one of these runs, of several the one with the most ratings where it has fewest.

    Of equal ones the last to have judged. None if there is no such judge.
    """
    counted = [_ratings_by_judge(run) for run in runs]
    shared = [judge for judge in counted[0] if all(judge in run for run in counted)] if counted else []
    return max(reversed(shared), key=lambda judge: min(run[judge] for run in counted), default=None)


def judged_by(judge: Judge | None, judgements: Iterable[Judgement]) -> tuple[Judgement, ...]:
    """Those of this judge; none for no judge."""
    return tuple(judgement for judgement in judgements if judge is not None and judgement.judge == judge)


def _ratings_by_judge(judgements: Iterable[Judgement]) -> dict[Judge, int]:
    """How many judgements each judge gave, in the order of their first."""
    counted: dict[Judge, int] = {}
    for judgement in judgements:
        counted[judgement.judge] = counted.get(judgement.judge, 0) + 1
    return counted

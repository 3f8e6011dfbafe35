"""An analyzer whose answer depends on the turn alone, so that only the order of folding can make a difference."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from engine.guardrails import guard
from engine.model.analysis import Analysis, Expansion, Extraction, Question, Source
from engine.model.conversation import Turn
from engine.model.qbs import (
    EngagementSignal,
    ExpansionTrigger,
    PainDepthLevel,
    QBSQuestionRecommendation,
    QBSQuestionType,
    VossDelivery,
)
from engine.model.qualification import Dimension, Evidence, ListSignal, QualificationState, Signal, qualification_from
from engine.model.state import ConversationState

ChoiceT = TypeVar("ChoiceT")

PEOPLE = ("Ines Faro", "the CFO", "Per Lund", "our plant manager")
QUESTIONS = ("What happens then?", "Who else sees it?", "What would that be worth?", "When does it bite?")


async def at_once(turn: Turn) -> None:
    """No waiting."""


class ScriptedAnalyzer:
    """`wait` is what a model would take; it may raise. `asked` counts how often anything was asked."""

    def __init__(self, wait: Callable[[Turn], Awaitable[None]] = at_once) -> None:
        self.asked = 0
        self._wait = wait

    async def analyze(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
        self.asked += 1
        await self._wait(turn)
        return guard(state, turn, history, said_of(turn))


def said_of(turn: Turn) -> Analysis:
    """What the script says of a turn, unguarded: every part of it is different from turn to turn, and repeats."""
    number = turn.index
    source = Source(kind="llm", model="scripted", prompt="script@00000000", attempts=1, cost_usd=0.0)
    return Analysis(
        extraction=Extraction(found=_found(turn), source=source),
        question=Question(
            recommendation=QBSQuestionRecommendation(
                question_type=_of(tuple(QBSQuestionType), number // 2),
                meddic_bant_target=_of(tuple(Dimension), number),
                voss_delivery=_of(tuple(VossDelivery), number // 3),
                suggested_question=_of(QUESTIONS, number // 4),
                engagement_signal=_of(tuple(EngagementSignal), number // 5),
                pain_depth=_of(tuple(PainDepthLevel), number // 6),
                topic=f"problem {number % 13}",
                confidence=0.3 + number % 5 / 10,
            ),
            source=source,
        ),
        expansion=Expansion(
            triggers=(ExpansionTrigger(mentioned_name_or_role=_of(PEOPLE, number)),) if number % 3 == 0 else (),
            source=source,
        ),
    )


def dimensions_of(index: int) -> tuple[Dimension, Dimension, Dimension]:
    """What is found in turn `index`: two dimensions by turns, and always a decision criterion."""
    return _of(tuple(Dimension), index), Dimension.PAIN, Dimension.DECISION_CRITERIA


def _found(turn: Turn) -> QualificationState:
    quote = (Evidence(quote=turn.text, turn=turn.index),)
    confidence = 0.5 + turn.index % 4 / 10
    signals: dict[Dimension, Signal | ListSignal] = {
        dimension: Signal(value=f"{dimension} as of {turn.index}", confidence=confidence, evidence=quote)
        for dimension in dimensions_of(turn.index)
        if dimension is not Dimension.DECISION_CRITERIA
    }
    signals[Dimension.DECISION_CRITERIA] = ListSignal(
        values=(f"criterion {turn.index}",), confidence=confidence, evidence=quote
    )
    return qualification_from(signals, key_insights=(f"insight {turn.index}",))


def _of(choices: Sequence[ChoiceT], number: int) -> ChoiceT:
    return choices[number % len(choices)]

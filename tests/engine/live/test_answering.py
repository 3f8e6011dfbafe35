"""Whatever an analyzer does, there is an analysis, and it says what it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
import structlog

from engine.analyzers import RulesAnalyzer
from engine.live.answering import analysis_in_any_case
from engine.live.patience import Patience
from engine.model.analysis import Analysis, FallbackReason
from engine.model.conversation import Turn
from engine.model.state import ConversationState
from tests.engine.values import analysis, customer, seller, state

SECRET = "the words of a customer"
TURN = customer("Line 2 stops every night.", 1)


async def raise_a_defect() -> Analysis:
    raise KeyError(SECRET)


async def hang() -> Analysis:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


async def stop_itself() -> Analysis:
    raise asyncio.CancelledError


async def forget_the_guardrails() -> Analysis:
    return analysis(suggested_question="How does BANT look? And MEDDIC?")


class Broken:
    def __init__(self, way: Callable[[], Awaitable[Analysis]]) -> None:
        self._way = way

    async def analyze(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
        return await self._way()


@pytest.mark.parametrize(
    ("way", "seconds", "reason"),
    [
        (raise_a_defect, 60, FallbackReason.UNEXPECTED),
        (stop_itself, 60, FallbackReason.UNEXPECTED),
        (hang, 0.01, FallbackReason.DEADLINE),
    ],
)
async def test_an_analyzer_that_fails_leaves_a_labelled_question_and_no_words_in_the_log(
    way: Callable[[], Awaitable[Analysis]], seconds: float, reason: FallbackReason
) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = await analysis_in_any_case(
            Broken(way), state(), TURN, (seller("How is it going?"),), seconds=seconds, patience=Patience()
        )
    assert answer.guarded
    assert {source.label for source in answer.sources.values()} == {f"rules ({reason})"}
    assert answer.extraction.found.identified == ()
    assert answer.question.recommendation.suggested_question
    assert [log["reason"] for log in logs] == [reason]
    assert SECRET not in str(logs)


async def test_an_analyzer_that_answers_is_left_alone() -> None:
    asked = (state(), TURN, ())
    answer = await analysis_in_any_case(RulesAnalyzer(), *asked, seconds=60, patience=Patience())
    assert answer == await RulesAnalyzer().analyze(*asked)


async def test_what_was_not_guarded_is_guarded() -> None:
    broken = Broken(forget_the_guardrails)
    answer = await analysis_in_any_case(broken, state(), TURN, (), seconds=60, patience=Patience())
    assert answer.guarded
    assert answer.changes

"""A variant asked anew at many turns: what stops it, and that nothing which is under way is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from engine.analyzers import RulesAnalyzer
from engine.llm.limits import Ledger
from engine.model.analysis import Analysis, FallbackReason, Source
from engine.model.conversation import Turn
from engine.model.state import ConversationState, opening_state
from tests.evals.values import conversation
from workbench.asking_anew import AskingAnew, AskingProgress, StoppedError
from workbench.settings import Settings

TALK = conversation(customer_turns=4)
TURNS = [turn for turn in TALK.turns if turn.speaker == "customer"]


class Waiting:
    """The rules, once they may answer; `reasons` are why what answers a turn is a fallback."""

    def __init__(self, reasons: dict[int, FallbackReason] | None = None) -> None:
        self.reasons = reasons or {}
        self.begun: list[int] = []
        self.ended: list[int] = []
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def analyze(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
        self.begun.append(turn.index)
        self.asked.set()
        await self.may_answer.wait()
        said = await RulesAnalyzer().analyze(state, turn, history)
        self.ended.append(turn.index)
        source = Source(kind="rules", fallback_reason=self.reasons.get(turn.index))
        return said.model_copy(update={"question": said.question.model_copy(update={"source": source})})


async def one_by_one(asking: AskingAnew) -> list[Analysis]:
    return [await asking.analyze(opening_state(TALK), turn, ()) for turn in TURNS]


def session(analyzer: Waiting, settings: Settings | None = None) -> tuple[AskingAnew, list[AskingProgress]]:
    told: list[AskingProgress] = []
    return AskingAnew(analyzer, len(TURNS), Ledger(), settings or Settings(), told.append), told


async def test_whoever_stops_it_waits_for_the_turn_under_way_and_no_further_one_begins() -> None:
    analyzer, stop = Waiting(), asyncio.Event()
    asking = AskingAnew(analyzer, len(TURNS), Ledger(), Settings(), stop=stop)
    going = asyncio.ensure_future(asking.through(one_by_one(asking)))
    await analyzer.asked.wait()
    stop.set()
    analyzer.may_answer.set()
    with pytest.raises(StoppedError, match="before the end, after") as stopped:
        await going
    assert (stopped.value.ended, analyzer.begun, analyzer.ended) == ("person", [TURNS[0].index], [TURNS[0].index])


async def test_a_limit_stops_it_and_what_the_rules_said_there_counts_as_no_answer() -> None:
    analyzer = Waiting({TURNS[2].index: FallbackReason.LIMIT_REACHED})
    analyzer.may_answer.set()
    asking, told = session(analyzer)
    with pytest.raises(StoppedError, match="at a limit, after 2 of 4 turns") as stopped:
        await asking.through(one_by_one(asking))
    assert (stopped.value.ended, stopped.value.progress.done) == ("limit", 2)
    assert [own.done for own in told] == [1, 2]


async def test_a_model_that_nobody_can_reach_stops_it_for_that_reason() -> None:
    analyzer = Waiting({TURNS[0].index: FallbackReason.NOT_AUTHORISED})
    analyzer.may_answer.set()
    asking, _ = session(analyzer)
    with pytest.raises(StoppedError, match="no model answered") as stopped:
        await asking.through(one_by_one(asking))
    assert (stopped.value.ended, stopped.value.reason) == ("unanswered", FallbackReason.NOT_AUTHORISED)


async def test_a_limit_of_time_stops_it() -> None:
    analyzer = Waiting()
    asking, _ = session(analyzer, Settings(max_seconds=0.01, deadline_seconds=0.01))
    going = asyncio.ensure_future(asking.through(one_by_one(asking)))
    asyncio.get_running_loop().call_later(0.1, analyzer.may_answer.set)
    with pytest.raises(StoppedError, match="at a limit"):
        await going
    assert analyzer.begun == [TURNS[0].index]


async def test_undisturbed_it_comes_to_its_end_and_an_error_comes_through() -> None:
    analyzer = Waiting()
    analyzer.may_answer.set()
    asking, told = session(analyzer)
    assert len(await asking.through(one_by_one(asking))) == len(TURNS)
    assert told[-1] == AskingProgress(4, 4, 0, 0.0)

    async def failing() -> None:
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        await session(analyzer)[0].through(failing())

"""What another variant would have chosen: at the same turns, in the states that the conversations were really in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from engine.advance import advance
from engine.analyzers import RulesAnalyzer
from engine.folding import KeptTurn, with_opening
from engine.guardrails import guard
from engine.model.analysis import Analysis, FallbackReason, Source
from engine.model.conversation import Conversation, Turn
from engine.model.qbs import QBSQuestionType
from engine.model.state import ConversationState, opening_state
from evals.learning.alternative import LoggedConversation, recommended_by, recommended_in
from evals.records import Failure, TurnRecord
from evals.replay import replay
from tests.engine.values import analysis
from tests.evals.values import conversation

TALK = conversation(customer_turns=4)


def logged(talk: Conversation = TALK, name: str = "alpha") -> LoggedConversation:
    """A conversation in which the engine always asked for the solution, as production keeps it."""
    state, history, kept = with_opening(opening_state(talk)), [], []
    for turn in talk.turns:
        said = None
        if turn.speaker == "customer":
            raw = analysis(question_type=QBSQuestionType.SOLUTION, suggested_question=f"What about {turn.index}?")
            said = guard(state, turn, history, raw)
            state = advance(state, turn, said)
        kept.append(KeptTurn(turn, said))
        history.append(turn)
    return LoggedConversation(name, state, tuple(kept))


class Noting:
    """The rules, and what they were asked with."""

    def __init__(self) -> None:
        self.asked: list[tuple[ConversationState, int, int]] = []

    async def analyze(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
        self.asked.append((state, turn.index, len(history)))
        return await RulesAnalyzer().analyze(state, turn, history)


async def test_each_turn_is_asked_about_in_the_state_that_the_log_was_in() -> None:
    analyzer, talk = Noting(), logged()
    found = await recommended_by(analyzer, [talk], {("alpha", 3), ("alpha", 7)}, "rules", ("question_type",))
    assert [(turn, history) for _, turn, history in analyzer.asked] == [(3, 3), (7, 7)]
    state = with_opening(opening_state(TALK))
    for kept in talk.turns[:3]:
        state = state if kept.analysis is None else advance(state, kept.turn, kept.analysis)
    assert analyzer.asked[0][0].metadata["qbs"] == state.metadata["qbs"]
    assert sorted(found.choices) == [("alpha", 3), ("alpha", 7)]
    assert all(len(action) == 3 for action in found.choices.values())


async def test_conversations_keep_their_own_turns_side_by_side() -> None:
    talks = [logged(name=f"talk-{number}") for number in range(5)]
    wanted = {(talk.name, turn) for talk in talks for turn in (1, 3, 5, 7)}
    found = await recommended_by(RulesAnalyzer(), talks, wanted, "rules", ("question_type",), concurrency=2)
    assert set(found.choices) == wanted
    assert len({tuple(found.choices[talk.name, turn] for turn in (1, 3, 5, 7)) for talk in talks}) == 1


async def test_what_a_run_recommended_is_its_first_sample_where_it_did_not_fail() -> None:
    records = [record async for record in replay(TALK, RulesAnalyzer(), run_id="r")]
    failed = TurnRecord(
        run_id="r", conversation_id="beta", turn=1, before=records[0].before, after=records[0].before,
        result=Failure(error="ValueError", message="somewhere"),
    )  # fmt: skip
    repeated = records[0].model_copy(update={"sample": 1, "conversation_id": "gamma"})
    found = recommended_in([*records, failed, repeated], "the run r", ("question_type", "delivery"))
    assert set(found.choices) == {("alpha", turn) for turn in (1, 3, 5, 7)}
    own = records[0].result.question.recommendation
    assert found.choices["alpha", 1] == (own.question_type, own.meddic_bant_target, own.voss_delivery)
    assert found.parts == ("question_type", "delivery")


async def test_answers_of_a_fallback_count_and_are_told() -> None:
    class Unanswered:
        async def analyze(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
            said = await RulesAnalyzer().analyze(state, turn, history)
            reason = FallbackReason.TIMEOUT if turn.index == 3 else None
            question = said.question.model_copy(update={"source": Source(kind="rules", fallback_reason=reason)})
            return said.model_copy(update={"question": question})

    wanted = {("alpha", 1), ("alpha", 3), ("alpha", 5)}
    found = await recommended_by(Unanswered(), [logged()], wanted, "the variant llm", ("question_type",))
    assert set(found.choices) == wanted
    assert found.name == "the variant llm, 1 of whose 3 answers are the fallback's"
    records = [record async for record in replay(TALK, Unanswered(), run_id="r")]
    assert recommended_in(records, "the run r", ("question_type",)).name.startswith("the run r, 1 of whose 4 answers")


async def test_an_error_of_the_analyzer_is_raised_and_ends_the_others() -> None:
    class Broken:
        async def analyze(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
            await asyncio.sleep(0)
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        await recommended_by(Broken(), [logged(), logged(name="b")], {("alpha", 1), ("b", 1)}, "x", ("target",))

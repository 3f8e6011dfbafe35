"""Replaying one conversation: which state each turn starts from, and what becomes of errors."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from engine.errors import InputError, PromptError
from engine.model.conversation import Conversation
from engine.model.qualification import Dimension
from evals.records import Failure, TurnRecord
from evals.replay import replay
from tests.evals.values import FakeAnalyzer, conversation, labels_of


async def records_of(talk: Conversation, analyzer: Any = None, **arguments: Any) -> list[TurnRecord]:
    return [record async for record in replay(talk, analyzer or FakeAnalyzer(), run_id="r", **arguments)]


async def test_only_customer_turns_are_analysed_each_with_the_turns_before_it():
    seen = []

    class Listening(FakeAnalyzer):
        async def analyze(self, state: Any, turn: Any, history: Sequence[Any]) -> Any:
            seen.append((turn.index, [earlier.index for earlier in history], state.interaction_count))
            return await super().analyze(state, turn, history)

    records = await records_of(conversation(customer_turns=3), Listening(), sample=2)
    assert seen == [(1, [0], 0), (3, [0, 1, 2], 1), (5, [0, 1, 2, 3, 4], 2)]
    assert [record.key for record in records] == [("alpha", 1, 2), ("alpha", 3, 2), ("alpha", 5, 2)]


async def test_state_is_carried_from_turn_to_turn():
    records = await records_of(conversation(customer_turns=4))
    assert records[0].before.qualification.identified == ()
    assert all(later.before == earlier.after for earlier, later in pairwise(records))
    assert len(records[-1].after.qualification.identified) == 4


async def test_gold_state_comes_from_the_labels_whatever_the_analyzer_says():
    talk = conversation(customer_turns=3)
    records = await records_of(talk, FakeAnalyzer(raises={3: RuntimeError()}), labels=labels_of(talk))
    pains = [record.before.qualification.signal(Dimension.PAIN).value for record in records]
    assert pains == [None, "pain 1", "pain 3"]
    assert [record.before.interaction_count for record in records] == [0, 1, 2]
    assert Dimension.BUDGET not in records[2].before.qualification.identified


async def test_gold_state_needs_a_label_for_every_customer_turn():
    talk = conversation()
    with pytest.raises(InputError, match="no label"):
        await records_of(talk, labels={1: labels_of(talk)[1]})


async def test_a_fork_goes_on_from_the_state_before_a_turn():
    talk = conversation(customer_turns=4, stage_changes=[(1, "discovery"), (4, "qualification")])
    earlier = await records_of(talk)
    fork = await records_of(talk, start=earlier[1])
    assert [record.turn for record in fork] == [3, 5, 7]
    assert fork[0].before == earlier[1].before
    assert [record.before.deal_stage for record in fork] == [record.before.deal_stage for record in earlier[1:]]


STAGES = {
    "none": ([], ["prospecting"] * 3),
    "before the first turn": ([(-1, "discovery")], ["discovery"] * 3),
    "after a customer turn": ([(1, "discovery")], ["prospecting", "discovery", "discovery"]),
    "after a seller turn": ([(2, "discovery")], ["prospecting", "discovery", "discovery"]),
    "two at once": ([(1, "discovery"), (2, "qualification")], ["prospecting", "qualification", "qualification"]),
    "after the last turn": ([(5, "discovery")], ["prospecting"] * 3),
    "stalled and resumed": ([(1, "stalled"), (3, "discovery")], ["prospecting", "stalled", "discovery"]),
}


@pytest.mark.parametrize(("changes", "stages"), STAGES.values(), ids=STAGES)
async def test_recorded_stage_changes_hold_from_the_next_customer_turn_on(
    changes: list[tuple[int, str]], stages: list[str]
):
    records = await records_of(conversation(stage_changes=changes))
    assert [record.before.deal_stage for record in records] == stages
    assert all(record.after.deal_stage == record.before.deal_stage for record in records)


async def test_an_illegal_stage_change_fails_its_turn_and_is_not_applied():
    analyzer = FakeAnalyzer()
    talk = conversation(customer_turns=4, stage_changes=[(1, "closed_won"), (4, "discovery")])
    records = await records_of(talk, analyzer)
    failed = records[1].result
    assert isinstance(failed, Failure)
    assert failed.error == "InvalidStageTransitionError"
    assert "prospecting to closed_won" in failed.message
    assert records[1].after == records[1].before == records[2].before.model_copy(update={"deal_stage": "prospecting"})
    assert [record.before.deal_stage for record in records] == ["prospecting"] * 2 + ["discovery"] * 2
    assert analyzer.asked == [1, 5, 7]


async def test_an_error_in_one_turn_is_that_turns_failure_and_the_replay_goes_on():
    records = await records_of(conversation(customer_turns=4), FakeAnalyzer(raises={3: KeyError("the secret")}))
    failed = records[1]
    assert isinstance(failed.result, Failure)
    assert failed.result.error == "KeyError"
    assert "in analyze, values.py line" in failed.result.message
    assert failed.before == failed.after == records[0].after == records[2].before
    assert [isinstance(record.result, Failure) for record in records] == [False, True, False, False]


async def test_a_failure_quotes_our_own_errors_and_no_foreign_ones():
    raises = {1: ValueError("the key sk-123"), 3: PromptError("variable x is missing")}
    first, second, _ = await records_of(conversation(), FakeAnalyzer(raises=raises))
    assert "sk-123" not in first.model_dump_json()
    assert isinstance(second.result, Failure)
    assert second.result.message == "variable x is missing"


async def test_an_analysis_that_cannot_be_folded_is_a_failure_too():
    class Unguarded(FakeAnalyzer):
        async def analyze(self, state: Any, turn: Any, history: Any) -> Any:
            return (await super().analyze(state, turn, history)).raw

    records = await records_of(conversation(), Unguarded())
    assert [record.result.error for record in records if isinstance(record.result, Failure)] == ["ValueError"] * 3


async def test_being_cancelled_is_not_a_failure():
    with pytest.raises(asyncio.CancelledError):
        await records_of(conversation(), FakeAnalyzer(raises={3: asyncio.CancelledError()}))


@pytest.mark.parametrize("mode", ["carried", "gold", "fork"])
@pytest.mark.parametrize("done", range(4))
async def test_resuming_does_only_what_is_missing_and_ends_the_same(mode: str, done: int):
    talk = conversation(customer_turns=4, stage_changes=[(1, "discovery"), (3, "closed_won"), (5, "qualification")])
    start = (await records_of(talk))[1] if mode == "fork" else None
    arguments = {"labels": labels_of(talk) if mode == "gold" else None, "start": start}
    whole = await records_of(talk, **arguments)
    kept = [TurnRecord.model_validate_json(record.model_dump_json()) for record in whole[:done]]
    rest = await records_of(talk, **arguments, done=kept)
    assert rest == whole[done:]

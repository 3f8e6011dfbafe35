"""Flat rows: every column against the record that it was made from."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from evals.records import TurnRecord
from evals.replay import replay
from evals.runs.lines import Place, StoredRecord
from evals.runs.rows import TurnRow, turn_row
from tests.evals.values import FakeAnalyzer, conversation, recommendation

PLACE = Place(100, 20)


async def row_of(turn: int = 1, **arguments: Any) -> TurnRow:
    talk = conversation(customer_turns=4, stage_changes=[(1, "discovery")])
    records = [record async for record in replay(talk, FakeAnalyzer(**arguments), run_id="r", sample=2)]
    return turn_row(StoredRecord(next(record for record in records if record.turn == turn), PLACE))


async def test_a_row_holds_what_was_concluded_and_where_it_came_from():
    assert await row_of(5) == TurnRow(
        run_id="r",
        conversation_id="alpha",
        turn=5,
        sample=2,
        error=None,
        extraction_source="llm",
        question_source="llm",
        expansion_source="llm",
        extraction_ms=5.0,
        question_ms=5.0,
        expansion_ms=5.0,
        latency_ms=5.0,
        tokens_in=30,
        tokens_out=6,
        cost_usd=pytest.approx(0.03),
        question_type="impact",
        target="metrics",
        delivery="calibrated_question",
        confidence=0.5,
        engagement="factual",
        pain_depth="not_explored",
        back_off=False,
        completion=0.3,
        stage="discovery",
        people=1,
        changes=0,
        byte_offset=100,
        byte_length=20,
    )


async def test_a_fallback_names_its_reason():
    row = await row_of(falls_back=[1])
    assert (row.question_source, row.question_reason, row.extraction_reason) == ("rules", "timeout", "timeout")
    assert (await row_of()).question_reason is None


async def test_a_price_that_is_not_known_stays_unknown():
    assert (await row_of(cost_usd=None)).cost_usd is None


async def test_a_failure_has_nothing_but_its_error():
    row = await row_of(raises={1: KeyError()})
    known = {"run_id", "conversation_id", "turn", "sample", "error", "byte_offset", "byte_length"}
    assert row.error == "KeyError"
    assert all(getattr(row, field.name) is None for field in fields(TurnRow) if field.name not in known)


@pytest.mark.parametrize(
    ("engagement", "back_off"), [("resistant", True), ("factual", False), ("emotional_language", False)]
)
async def test_backing_off_is_judged_at_the_message_and_not_by_the_next_question(engagement: str, back_off: bool):
    class Sensing(FakeAnalyzer):
        def _raw(self, turn: Any, position: int) -> Any:
            raw = super()._raw(turn, position)
            told = recommendation(question_type="confirmation", engagement_signal=engagement)
            return raw.model_copy(update={"question": raw.question.model_copy(update={"recommendation": told})})

    talk = conversation(customer_turns=1)
    records: list[TurnRecord] = [record async for record in replay(talk, Sensing(), run_id="r")]
    assert turn_row(StoredRecord(records[0], PLACE)).back_off is back_off

"""The extractor asks once for all ten dimensions, takes sloppy replies, and fails open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.errors import PromptError
from engine.model.analysis import Extraction, FallbackReason
from engine.model.context import ConversationContext
from engine.model.qualification import Dimension, Evidence, QualificationState, qualification_from
from engine.prompts import PromptLibrary
from engine.qualification import QualificationExtractor
from tests.engine.prompts.files import prompt_file, write
from tests.engine.scripted_service import NOTHING, ScriptedService
from tests.engine.values import customer, seller, signal

CONTEXT = ConversationContext(account="Norrland Mills")
HISTORY = (seller("Is there money?", 0),)
TURN = customer("40k is approved for 2026.", 1)
FOUND = {"value": "40k", "confidence": 0.9, "evidence": [{"turn": 1, "quote": "40k is approved"}]}
EVIDENCE = (Evidence(quote="40k is approved", turn=1),)


def extractor(service: ScriptedService, **options: Any) -> QualificationExtractor:
    return QualificationExtractor(service, PromptLibrary(), "big-model", **options)


async def extracted(reply: dict[str, Any]) -> Extraction:
    return await extractor(ScriptedService(extraction=reply)).extract(CONTEXT, TURN, HISTORY)


async def test_all_ten_dimensions_are_asked_for_in_one_request_to_the_reasoning_model() -> None:
    service = ScriptedService()
    await extractor(service, deadline_s=3.5, sample=2).extract(CONTEXT, TURN, HISTORY)
    (request,) = service.requests.values()
    assert (request.purpose, request.model, request.temperature, request.sample) == ("extraction", "big-model", 0.1, 2)
    assert request.prompt == PromptLibrary().load("extraction").ref
    assert request.reasks == 1
    assert service.deadlines == [3.5]
    described = request.reply.model_json_schema()
    assert {dimension.value for dimension in Dimension} < set(described["required"])
    assert all(described["properties"][dimension.value]["description"] for dimension in Dimension)


async def test_a_reply_becomes_signals_with_their_evidence() -> None:
    extraction = await extracted(
        {
            **NOTHING,
            "budget": FOUND,
            "decision_criteria": {
                "values": ["runs offline", "Swedish", "Runs  offline"],
                "confidence": 0.6,
                "evidence": [{"turn": 1, "quote": "40k is approved"}],
            },
            "key_insights": ["Burnt by a vendor", "burnt by a vendor"],
            "recommended_next_questions": ["Who else looks at it?"],
        }
    )
    found = extraction.found
    assert found.identified == (Dimension.BUDGET, Dimension.DECISION_CRITERIA)
    assert found.bant.budget == signal("40k", 0.9, ("40k is approved", 1))
    assert found.meddic.decision_criteria.values == ("runs offline", "Swedish")
    assert found.key_insights == ("Burnt by a vendor",)
    assert found.recommended_next_questions == ("Who else looks at it?",)
    assert found.overall_confidence == pytest.approx(0.15)
    assert extraction.source.label == "llm"


@pytest.mark.parametrize(
    ("given", "value", "confidence", "evidence"),
    [
        (FOUND, "40k", 0.9, EVIDENCE),
        ({**FOUND, "confidence": "0.9"}, "40k", 0.9, EVIDENCE),
        ({**FOUND, "value": 40000}, "40000", 0.9, EVIDENCE),
        ({**FOUND, "value": ["40k", "in 2026"]}, "40k; in 2026", 0.9, EVIDENCE),
        ({**FOUND, "value": " 40k\n a year "}, "40k a year", 0.9, EVIDENCE),
        ({**FOUND, "value": "x" * 400}, "x" * 300, 0.9, EVIDENCE),
        ({**FOUND, "evidence": FOUND["evidence"][0]}, "40k", 0.9, EVIDENCE),
        ({**FOUND, "evidence": [{"turn": "[1]", "quote": "40k is approved"}]}, "40k", 0.9, EVIDENCE),
        ({**FOUND, "evidence": [{"turn": "turn 1", "quote": " 40k is approved "}]}, "40k", 0.9, EVIDENCE),
        ({**FOUND, "evidence": FOUND["evidence"] * 3}, "40k", 0.9, EVIDENCE),
        ({**FOUND, "evidence": [{"turn": 1, "quote": " "}]}, "40k", 0.9, ()),
        ({**FOUND, "evidence": []}, "40k", 0.9, ()),
        ({**FOUND, "reasoning": "they said so"}, "40k", 0.9, EVIDENCE),
        (None, None, 0.0, ()),
        ({"value": None, "confidence": 0, "evidence": []}, None, 0.0, ()),
        ({**FOUND, "confidence": 0}, None, 0.0, ()),
        ({"value": "Not mentioned", "confidence": 0.1, "evidence": []}, None, 0.0, ()),
        ({"value": " ", "confidence": 0.1, "evidence": []}, None, 0.0, ()),
        ({"value": [" "], "confidence": 0.1, "evidence": []}, None, 0.0, ()),
        ("null", None, 0.0, ()),
        ({}, None, 0.0, ()),
    ],
)
async def test_sloppy_findings_are_understood(
    given: Any, value: str | None, confidence: float, evidence: tuple[Evidence, ...]
) -> None:
    budget = (await extracted({**NOTHING, "budget": given})).found.bant.budget
    assert (budget.value, budget.confidence, budget.evidence) == (value, confidence, evidence)


@pytest.mark.parametrize(
    "given",
    [
        {"pain": FOUND},
        {"identified_pain": FOUND},
        {"pain": None, "identified_pain": FOUND, "key_insights": None},
    ],
)
async def test_the_pain_may_go_by_either_name_and_the_rest_be_left_out(given: dict[str, Any]) -> None:
    assert (await extracted(given)).found.identified == (Dimension.PAIN,)


@pytest.mark.parametrize("values", [[], [" "], None])
async def test_criteria_without_an_entry_are_none(values: Any) -> None:
    criteria = {"values": values, "confidence": 0.5, "evidence": [{"turn": 1, "quote": "40k"}]}
    assert (await extracted({**NOTHING, "decision_criteria": criteria})).found == QualificationState()


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ({}, "Field required"),
        ({"answer": "no budget"}, "Field required"),
        ({**NOTHING, "budget": {**FOUND, "confidence": 90}}, "less than or equal to 1"),
        ({**NOTHING, "budget": {**FOUND, "confidence": "high"}}, "valid number"),
        ({**NOTHING, "budget": {**FOUND, "confidence": float("nan")}}, "finite number"),
        ({**NOTHING, "budget": "40k"}, "valid dictionary|object"),
        ({**NOTHING, "budget": {**FOUND, "evidence": ["40k is approved"]}}, "valid dictionary|object"),
        ({**NOTHING, "budget": {**FOUND, "evidence": [{"turn": "first", "quote": "x"}]}}, "valid integer"),
    ],
)
async def test_a_reply_that_cannot_be_understood_is_refused_with_a_reason_to_ask_again_by(
    reply: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValidationError, match=problem):
        await extracted(reply)


@pytest.mark.parametrize("reason", FallbackReason)
async def test_after_a_model_failure_nothing_is_found_and_the_reason_is_on_the_source(reason: FallbackReason) -> None:
    extraction = await extractor(ScriptedService(extraction=reason)).extract(CONTEXT, TURN, HISTORY)
    assert extraction.found == QualificationState()
    source = extraction.source
    assert (source.kind, source.fallback_reason, source.model) == ("rules", reason, "big-model")
    assert source.prompt == PromptLibrary().load("extraction").ref
    assert (source.tokens_in, source.tokens_out, source.cost_usd, source.attempts) == (900, 80, 0.002, 2)


CURRENT = qualification_from({Dimension.BUDGET: signal("30k", 0.9, ("30k", 0))}, overall_confidence=0.09)


async def test_after_a_model_failure_the_state_given_comes_back_unchanged() -> None:
    failing = extractor(ScriptedService(extraction=FallbackReason.TIMEOUT))
    state, source = await failing.qualify(CURRENT, CONTEXT, TURN, HISTORY)
    assert state is CURRENT
    assert source.fallback_reason is FallbackReason.TIMEOUT


@pytest.mark.parametrize(("confidence", "value"), [(0.8, "30k"), (0.9, "30k"), (0.95, "withdrawn; was 30k")])
async def test_a_correction_replaces_what_was_known_because_it_is_more_certain(confidence: float, value: str) -> None:
    reply = {**NOTHING, "budget": {**FOUND, "value": "withdrawn; was 30k", "confidence": confidence}}
    state, _ = await extractor(ScriptedService(extraction=reply)).qualify(CURRENT, CONTEXT, TURN, HISTORY)
    assert state.bant.budget.value == value
    assert [item.quote for item in state.bant.budget.evidence] == ["30k", "40k is approved"]


def test_a_prompt_that_cannot_be_filled_in_is_refused_before_the_first_conversation(tmp_path: Path) -> None:
    draft = prompt_file("## user\n{{ mood }}", name="extraction", version="v9", variables="  mood: how they feel")
    write(tmp_path, draft, name="extraction", version="v9")
    with pytest.raises(PromptError, match="uses 'mood'"):
        QualificationExtractor(ScriptedService(), PromptLibrary(tmp_path, chosen={"extraction": "v9"}), "big-model")

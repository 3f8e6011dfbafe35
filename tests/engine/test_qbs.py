"""The question engine asks once, takes sloppy replies, and answers from the seed table after any failure."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from engine.model.analysis import FallbackReason
from engine.model.qbs import (
    EngagementSignal,
    PainDepthLevel,
    QBSQuestionRecommendation,
    QBSQuestionType,
    VossDelivery,
)
from engine.model.qualification import Dimension
from engine.prompts import PromptLibrary
from engine.prompts.transcript import parse
from engine.qbs import QBSQuestionEngine
from engine.rules import recommend_by_seed
from tests.engine.scripted_service import ASK, ScriptedService
from tests.engine.values import customer, seller, state

HISTORY = (seller("What brings you here?", 0),)
TURN = customer("Line 2 stops every night.", 1)
BEFORE = state(interaction_count=2)


def engine(service: ScriptedService, **options: Any) -> QBSQuestionEngine:
    return QBSQuestionEngine(service, PromptLibrary(), "quick-model", **options)


async def recommended(**changed: Any) -> QBSQuestionRecommendation:
    service = ScriptedService(question={**ASK, **changed})
    return await engine(service).analyze_and_recommend(BEFORE, TURN, HISTORY)


async def test_one_request_goes_to_the_fast_model_with_the_parameters_of_spec() -> None:
    service = ScriptedService()
    await engine(service, deadline_s=1.5, sample=1).analyze_and_recommend(BEFORE, TURN, HISTORY)
    (request,) = service.requests.values()
    assert (request.purpose, request.model, request.max_tokens, request.temperature, request.sample) == (
        "question",
        "quick-model",
        512,
        0.3,
        1,
    )
    assert service.deadlines == [1.5]


async def test_the_reply_asks_for_exactly_the_fields_of_a_recommendation_each_described() -> None:
    service = ScriptedService()
    await engine(service).recommend(BEFORE, TURN, HISTORY)
    reply = service.requests["question"].reply
    assert set(reply.model_fields) == set(QBSQuestionRecommendation.model_fields)
    assert all(field.description for field in reply.model_fields.values())


async def test_a_reply_becomes_a_recommendation() -> None:
    changed = {
        "rationale": " Follows the stop. ",
        "information_gaps": ["metrics", "budget"],
        "natural_stopping_signals": ["have to run"],
        "topic": "night  stops",
    }
    assert await recommended(**changed) == QBSQuestionRecommendation(
        question_type=QBSQuestionType.IMPACT,
        meddic_bant_target=Dimension.METRICS,
        voss_delivery=VossDelivery.LABEL,
        suggested_question="It sounds like nights are the worst. What does one stop cost you?",
        rationale="Follows the stop.",
        information_gaps=(Dimension.METRICS, Dimension.BUDGET),
        engagement_signal=EngagementSignal.FACTUAL,
        pain_depth=PainDepthLevel.SURFACE,
        should_probe_deeper=True,
        natural_stopping_signals=("have to run",),
        confidence=0.65,
        topic="night stops",
    )


@pytest.mark.parametrize(
    ("field", "given", "understood"),
    [
        ("question_type", "Pain Funnel", QBSQuestionType.PAIN_FUNNEL),
        ("voss_delivery", "calibrated-question", VossDelivery.CALIBRATED_QUESTION),
        ("engagement_signal", "HIGH_ENERGY", EngagementSignal.HIGH_ENERGY),
        ("pain_depth", "business impact", PainDepthLevel.BUSINESS_IMPACT),
        ("meddic_bant_target", "identified_pain", Dimension.PAIN),
        ("meddic_bant_target", "Economic Buyer", Dimension.ECONOMIC_BUYER),
        ("information_gaps", "budget", (Dimension.BUDGET,)),
        ("information_gaps", None, ()),
        ("information_gaps", [{"dimension": "budget"}, 3], ()),
        ("information_gaps", ["Identified Pain", "mood", "budget", "budget"], (Dimension.PAIN, Dimension.BUDGET)),
        ("natural_stopping_signals", None, ()),
        ("natural_stopping_signals", "enough", ("enough",)),
        ("confidence", "0.4", 0.4),
        ("topic", None, None),
        ("topic", "None", None),
        ("topic", " ", None),
        ("suggested_question", "  Why?  ", "Why?"),
        ("rationale", "x" * 900, "x" * 600),
    ],
)
async def test_sloppy_fields_are_understood(field: str, given: Any, understood: Any) -> None:
    assert getattr(await recommended(**{field: given}), field) == understood


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"question_type": "closing"}, "'pain_funnel', 'impact', 'solution' or 'confirmation'"),
        ({"meddic_bant_target": "mood"}, "'budget'"),
        ({"suggested_question": " "}, "at least 1 character"),
        ({"confidence": 65}, "less than or equal to 1"),
        ({"confidence": None}, "valid number"),
        ({"should_probe_deeper": "perhaps"}, "valid boolean"),
    ],
)
async def test_a_reply_that_cannot_be_understood_is_refused_with_the_choices_there_are(
    changed: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValidationError, match=problem):
        await recommended(**changed)


@pytest.mark.parametrize("reason", FallbackReason)
async def test_after_any_failure_the_seed_table_answers_labelled_with_the_reason(reason: FallbackReason) -> None:
    question = await engine(ScriptedService(question=reason)).recommend(BEFORE, TURN, HISTORY)
    assert question.recommendation == recommend_by_seed(BEFORE)
    source = question.source
    assert (source.kind, source.fallback_reason, source.model) == ("rules", reason, "quick-model")
    assert (source.tokens_in, source.cost_usd, source.attempts) == (900, 0.002, 2)


@pytest.mark.parametrize(
    ("message", "history", "index"),
    [("We stop at night", None, 0), ("We stop at night", HISTORY, 1), (TURN, HISTORY, 1), ("x" * 30_000, (), 0)],
)
async def test_the_message_may_be_text_or_a_turn_with_or_without_history(
    message: Any, history: Any, index: int
) -> None:
    service = ScriptedService()
    await engine(service).analyze_and_recommend(BEFORE, message, history)
    latest = parse(service.requests["question"].messages[-1]["content"])[-1]
    assert (latest.index, latest.speaker) == (index, "customer")

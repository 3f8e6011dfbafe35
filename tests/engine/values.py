"""Small makers and hypothesis strategies for the engine's values."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from engine.model.analysis import Analysis, Expansion, Extraction, Question, Source
from engine.model.conversation import Speaker, Turn
from engine.model.qbs import (
    EngagementSignal,
    PainDepthLevel,
    QBSQuestionRecommendation,
    QBSQuestionType,
    VossDelivery,
)
from engine.model.qualification import (
    BANTSignals,
    Dimension,
    Evidence,
    ListSignal,
    MEDDICSignals,
    QualificationState,
    Signal,
    qualification_from,
)
from engine.model.state import ConversationState

RULES = Source(kind="rules")


def state(**fields: Any) -> ConversationState:
    known = {"state_id": "s", "tenant_id": "t", "account_id": "a", "contact_id": "c", "contact_name": "Ida Holm"}
    return ConversationState(**{**known, **fields})


def customer(text: str, index: int = 1) -> Turn:
    return Turn(index=index, speaker=Speaker.CUSTOMER, text=text)


def seller(text: str, index: int = 0) -> Turn:
    return Turn(index=index, speaker=Speaker.SELLER, text=text)


def signal(value: str, confidence: float, *quotes: tuple[str, int]) -> Signal:
    evidence = tuple(Evidence(quote=quote, turn=turn) for quote, turn in quotes)
    return Signal(value=value, confidence=confidence, evidence=evidence)


def recommendation(**fields: Any) -> QBSQuestionRecommendation:
    known = {
        "question_type": QBSQuestionType.PAIN_FUNNEL,
        "meddic_bant_target": Dimension.NEED,
        "voss_delivery": VossDelivery.CALIBRATED_QUESTION,
        "suggested_question": "That makes sense. What happens when a line stops at night?",
    }
    return QBSQuestionRecommendation(**{**known, **fields})


def analysis(found: dict[Dimension, Any] | None = None, triggers: tuple[Any, ...] = (), **fields: Any) -> Analysis:
    return Analysis(
        extraction=Extraction(found=qualification_from(found or {}), source=RULES),
        question=Question(recommendation=recommendation(**fields), source=RULES),
        expansion=Expansion(triggers=triggers, source=RULES),
    )


texts = st.text(alphabet="ab cé", min_size=1, max_size=6)
confidences = st.sampled_from([0.0, 0.2, 0.4, 0.5, 0.7, 0.9, 1.0])
evidences = st.lists(st.builds(Evidence, quote=texts, turn=st.integers(0, 5)), max_size=3).map(tuple)
signals = st.one_of(st.just(Signal()), st.builds(Signal, value=texts, confidence=confidences, evidence=evidences))
list_signals = st.one_of(
    st.just(ListSignal()),
    st.builds(
        ListSignal,
        values=st.lists(texts, min_size=1, max_size=3).map(tuple),
        confidence=confidences,
        evidence=evidences,
    ),
)
bants = st.builds(BANTSignals, budget=signals, authority=signals, need=signals, timeline=signals)
meddics = st.builds(
    MEDDICSignals,
    metrics=signals,
    economic_buyer=signals,
    decision_criteria=list_signals,
    decision_process=signals,
    identified_pain=signals,
    champion=signals,
)
qualifications = st.builds(
    QualificationState,
    bant=bants,
    meddic=meddics,
    key_insights=st.lists(texts, max_size=3).map(tuple),
    recommended_next_questions=st.lists(texts, max_size=2).map(tuple),
)
recommendations = st.builds(
    QBSQuestionRecommendation,
    question_type=st.sampled_from(QBSQuestionType),
    meddic_bant_target=st.sampled_from(Dimension),
    voss_delivery=st.sampled_from(VossDelivery),
    suggested_question=st.sampled_from(["What changed?", "So? Who else sees it?", "Tell me more.", "Who signs?"]),
    engagement_signal=st.sampled_from(EngagementSignal),
    pain_depth=st.sampled_from(PainDepthLevel),
    topic=st.one_of(st.none(), st.sampled_from([f"topic {n}" for n in range(14)])),
)

"""The next question follows what was just said, respects a back-off, and says why."""

from __future__ import annotations

import pytest

from engine.advance import advance
from engine.guardrails import guard
from engine.model.analysis import Analysis
from engine.model.conversation import Channel, DealStage
from engine.model.qbs import PainDepthLevel, QBSQuestionType, VossDelivery
from engine.model.qualification import Dimension, qualification_from
from engine.model.state import ConversationState
from engine.rules import analyze_by_rules
from tests.engine.rules.saying import recommended
from tests.engine.values import customer, seller, signal, state


def later(**fields: object) -> ConversationState:
    return state(**{"interaction_count": 4, "last_channel": Channel.CHAT, **fields})


@pytest.mark.parametrize(
    ("asked", "said", "before", "question_type", "delivery"),
    [
        (None, "Good morning, we run nine sites.", state(), "pain_funnel", "calibrated_question"),
        (None, "We run nine sites.", later(), "pain_funnel", "label"),
        (None, "They retype everything by hand.", state(), "pain_funnel", "mirror"),
        (None, "They retype everything by hand.", later(), "impact", "calibrated_question"),
        (None, "The delays cost us customers.", later(), "impact", "calibrated_question"),
        (None, "The delays cost us 40k a year.", later(), "solution", "calibrated_question"),
        ("What would you change?", "Not interested, stop writing.", later(), "confirmation", "accusation_audit"),
        (None, "I was so angry I couldn't drive, it is broken.", later(), "confirmation", "mirror"),
        (None, "How much is it?", later(), "solution", "calibrated_question"),
        (None, "It goes to our CFO, who signs.", later(), "confirmation", "calibrated_question"),
        (None, "The connector must be outbound only.", later(), "solution", "calibrated_question"),
        (None, "Signed copy attached.", later(deal_stage=DealStage.CLOSED_WON), "confirmation", "calibrated_question"),
        (None, "Fine. Gotta run.", later(), "confirmation", "calibrated_question"),
    ],
)  # fmt: skip
def test_the_type_and_delivery_follow_the_message(
    asked: str | None, said: str, before: ConversationState, question_type: str, delivery: str
) -> None:
    question = recommended(said, asked=asked, before=before)
    assert (question.question_type, question.voss_delivery) == (question_type, delivery)
    assert question.rationale


def test_consequences_with_a_known_size_lead_to_the_solution() -> None:
    known = later(qualification=qualification_from({Dimension.METRICS: signal("31 days", 0.8)}))
    question = recommended("The delays cost us customers.", before=known)
    assert question.question_type is QBSQuestionType.SOLUTION
    assert question.meddic_bant_target is Dimension.DECISION_CRITERIA


def test_nobody_is_asked_for_money_or_signatures_in_the_first_two_interactions() -> None:
    for said in ("We run nine sites.", "They retype it by hand.", "How much is it?", "It must work offline."):
        question = recommended(said, before=state())
        assert question.meddic_bant_target not in {
            Dimension.BUDGET,
            Dimension.AUTHORITY,
            Dimension.ECONOMIC_BUYER,
            Dimension.DECISION_PROCESS,
            Dimension.CHAMPION,
        }


def test_the_depth_is_the_deepest_reached_so_far() -> None:
    history = _told(["I'm ashamed of the backlog, it is broken.", "We run nine sites."])
    assert [a.question.recommendation.pain_depth for a in history] == [PainDepthLevel.EMOTIONAL] * 2


def test_after_resistance_it_does_not_dig_until_the_customer_opens_up() -> None:
    told = _told(
        [
            "Not interested, please don't call me.",
            "We run nine sites.",
            "The portal is broken.",
            "I'll be honest, I was so angry about the broken portal that I couldn't sleep.",
            "The portal fails twice a week.",
        ]
    )
    types = [analysis.question.recommendation.question_type for analysis in told]
    assert not any(question_type.probes for question_type in types[:3])
    assert types[4].probes
    assert not any(analysis.question.proposed for analysis in told)


def test_the_same_probe_is_not_asked_a_third_time_in_vain() -> None:
    told = _told(["We run nine sites."] * 5)
    keys = [analysis.question.recommendation.probe_key for analysis in told]
    assert all(keys[n : n + 3] != [keys[n]] * 3 for n in range(3))


def test_confidence_falls_with_resistance_and_rises_with_energy() -> None:
    resistant = recommended("Not interested, stop writing.", before=later())
    factual = recommended("We run nine sites.", before=later())
    open_ = recommended("I'm ashamed of the backlog.", before=later())
    assert resistant.confidence < factual.confidence < open_.confidence
    assert resistant.natural_stopping_signals


def test_a_mirror_uses_the_customers_words() -> None:
    question = recommended("They retype everything by hand.", before=state())
    assert question.voss_delivery is VossDelivery.MIRROR
    assert question.suggested_question.startswith("Retype everything by hand... ")


def test_no_question_is_repeated_in_a_long_conversation() -> None:
    told = _told(["We run nine sites.", "It is broken.", "The CFO signs.", "ok"] * 15)
    asked = [analysis.question.recommendation.suggested_question for analysis in told]
    assert len(set(asked)) == len(asked)
    assert not any(change.rule == "repeated_question" for analysis in told for change in analysis.changes)


def _told(messages: list[str]) -> list[Analysis]:
    """The guarded analyses of a conversation in which the seller always says the same."""
    before, history, analyses = state(last_channel=Channel.CHAT), [], []
    for message in messages:
        turn = customer(message, index=len(history))
        analysis = guard(before, turn, history, analyze_by_rules(before, turn, history))
        before = advance(before, turn, analysis)
        analyses.append(analysis)
        history += [turn, seller("Thanks for that.", index=len(history) + 1)]
    return analyses

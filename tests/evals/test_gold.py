"""Labels as an analyzer: what they say becomes the state, by the engine's own fold."""

from __future__ import annotations

import pytest

from engine import memory
from engine.errors import InputError
from engine.model.qualification import Dimension
from engine.model.state import opening_state
from engine.pain import PainDepthTracker
from evals.gold import LabelAnalyzer
from evals.labels import TurnLabel
from tests.evals.values import conversation, label, labels_of


def dimension(name: str, value: str, quote: str = "q") -> dict[str, str]:
    return {"dimension": name, "value": value, "quote": quote}


def gold_state(*labels: TurnLabel):
    talk = conversation(customer_turns=len(labels))
    analyzer = LabelAnalyzer(talk, {label.turn: label for label in labels})
    state = opening_state(talk)
    for turn in talk.customer_turns:
        state = analyzer.fold(state, turn)
    return state


def test_a_labelled_dimension_is_known_with_its_quote():
    state = gold_state(label(1, dimensions=[dimension("budget", "40k", "40k")]))
    signal = state.qualification.signal(Dimension.BUDGET)
    assert (signal.value, signal.evidence[0].quote, signal.evidence[0].turn) == ("40k", "40k", 1)
    assert state.qualification.identified == (Dimension.BUDGET,)


def test_a_later_word_replaces_an_earlier_one_and_the_evidence_of_both_stays():
    state = gold_state(
        label(1, dimensions=[dimension("budget", "40k", "40k")]),
        label(3, dimensions=[dimension("budget", "withdrawn", "board took it")]),
    )
    signal = state.qualification.signal(Dimension.BUDGET)
    assert signal.value == "withdrawn"
    assert [item.quote for item in signal.evidence] == ["40k", "board took it"]


def test_decision_criteria_are_a_list_and_two_labels_of_one_dimension_are_joined():
    state = gold_state(
        label(
            1,
            dimensions=[
                dimension("decision_criteria", "SSO", "a"),
                dimension("decision_criteria", "EU hosting", "b"),
                dimension("need", "tracking", "c"),
                dimension("need", "planning", "d"),
            ],
        )
    )
    assert state.qualification.meddic.decision_criteria.values == ("SSO", "EU hosting")
    assert state.qualification.bant.need.value == "tracking; planning"


def test_depth_engagement_and_people_are_those_of_the_labels():
    state = gold_state(
        label(1, pain_depth="business_impact", people=[{"mention": "our CFO", "quote": "q"}]),
        label(3, pain_depth="business_impact", engagement="resistant", people=[{"mention": "the CFO", "quote": "q"}]),
    )
    assert memory.pain(state).depth == "business_impact"
    assert memory.pain(state).resistances == 1
    assert [entry.mentions for entry in memory.expansion(state).entries] == [2]


@pytest.mark.parametrize("back_off", [False, True])
def test_backing_off_is_what_the_last_label_says(back_off: bool):
    earlier = [label(2 * n + 1, engagement="resistant", question_types=["solution"]) for n in range(5)]
    state = gold_state(*earlier, label(11, back_off=back_off, question_types=["solution"]))
    assert PainDepthTracker.should_back_off(memory.pain(state)) is back_off


async def test_the_answer_is_the_label_and_says_so():
    talk = conversation()
    analysis = await LabelAnalyzer(talk, labels_of(talk)).analyze(opening_state(talk), talk.turns[3], talk.before(3))
    assert {source.kind for source in analysis.sources.values()} == {"labels"}
    assert analysis.question.recommendation.question_type == "impact"
    assert analysis.question.recommendation.engagement_signal == "factual"
    assert analysis.guarded


def test_every_customer_turn_needs_a_label():
    talk = conversation()
    labels = labels_of(talk)
    del labels[3]
    with pytest.raises(InputError, match="turn 3: alpha has no label"):
        LabelAnalyzer(talk, labels)

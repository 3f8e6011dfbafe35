"""A conversation folded again: the same state in whatever order its turns came, and nothing from elsewhere lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json

from engine import memory
from engine.contacts import archive_contacted
from engine.folding import OPENING, KeptTurn, fold, make_room, opening_of, state_before, take_in, with_opening
from engine.guardrails import guard
from engine.merge import merge_qualification_signals
from engine.model.analysis import Analysis
from engine.model.conversation import Channel, DealStage, Turn
from engine.model.qbs import EngagementSignal, ExpansionTrigger, Urgency
from engine.model.qualification import Dimension, qualification_from
from engine.model.state import ConversationState
from tests.engine.values import analysis, customer, qualifications, recommendations, seller, signal, state

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
BARE = with_opening(state())


def turns(count: int) -> tuple[Turn, ...]:
    """A seller and a customer by turns, beginning with the seller."""
    return tuple(seller(f"What about {n}?", n) if n % 2 == 0 else customer(f"It is {n}.", n) for n in range(count))


def kept(index: int, said: Analysis) -> KeptTurn:
    return KeptTurn(customer(f"It is {index}.", index), said)


def arriving(
    opening: ConversationState, arrivals: Sequence[KeptTurn], there: Sequence[KeptTurn] = ()
) -> ConversationState:
    """The state as live use makes it from `opening`, the state after those that are `there`: turn by turn."""
    current, others = opening, list(there)
    for arrived in arrivals:
        current = make_room(current, others, arrived.turn)
        if arrived.analysis is not None:
            current, guarded = take_in(current, others, arrived.turn, arrived.analysis)
            assert guarded.guarded
        others.append(arrived)
    return current


analyses = st.builds(
    lambda found, recommendation: analysis().model_copy(
        update={
            "extraction": analysis().extraction.model_copy(update={"found": found}),
            "question": analysis().question.model_copy(update={"recommendation": recommendation}),
        }
    ),
    qualifications,
    recommendations,
)


@settings(max_examples=60, deadline=None)
@given(said=st.lists(analyses, min_size=2, max_size=5), data=st.data())
def test_whatever_the_order_of_arrival_the_state_is_the_one_of_the_order_of_the_turns(
    said: list[Analysis], data: st.DataObject
) -> None:
    spoken = turns(2 * len(said))
    each = [KeptTurn(turn, said[turn.index // 2] if turn.index % 2 else None) for turn in spoken]
    in_order = fold(BARE, each)
    assert arriving(BARE, each) == in_order
    assert arriving(BARE, data.draw(st.permutations(each))) == in_order


def test_a_turn_without_analysis_is_history_and_counts_for_nothing() -> None:
    asked = [KeptTurn(seller("Who signs?", 0)), kept(1, analysis(suggested_question="Who signs?"))]
    after = fold(BARE, asked)
    assert after.interaction_count == 1
    assert "Who signs?" not in after.next_actions[0]  # asked already, so the guardrails replaced it
    assert fold(BARE, asked[:1]) == BARE


def test_an_analysis_that_was_guarded_is_guarded_again_from_what_was_first_said() -> None:
    probing = analysis(suggested_question="What happens then?")
    resisting = analysis(suggested_question="What would help?", engagement_signal=EngagementSignal.RESISTANT)
    later = kept(3, guard(BARE, customer("It is 3.", 3), (), probing))
    after = fold(BARE, [kept(1, resisting), later])
    assert later.analysis is not None
    assert later.analysis.question.proposed is None
    assert "What happens then?" not in after.next_actions[0]


OPENINGS = {
    "bare": state(),
    "with a channel": state(last_channel=Channel.EMAIL, created_at=NOON),
    "in the middle": state(
        qualification=qualification_from({Dimension.BUDGET: signal("40k", 0.8, ("40k", 0))}, overall_confidence=0.08),
        interaction_count=7,
        last_interaction=NOON,
        last_channel=Channel.CALL,
        confidence_score=0.08,
        next_actions=("Ask: Who signs?",),
        metadata={"context": {"account": "Norrland Mills"}, "qbs": {"asked": ["0a0b0c0d"]}},
    ),
}


@pytest.mark.parametrize("opening", OPENINGS.values(), ids=OPENINGS)
def test_the_opening_state_is_found_again_after_any_number_of_turns_also_from_json(opening: ConversationState) -> None:
    remembered = with_opening(opening)
    after = fold(remembered, [kept(n, analysis(suggested_question=f"What about {n}?")) for n in range(5)])
    stored = ConversationState.model_validate(from_json(after.model_dump_json()))
    assert opening_of(stored) == remembered
    assert {name: value for name, value in remembered.metadata.items() if name != OPENING} == opening.metadata


def test_a_state_whose_opening_nobody_kept_opened_with_nothing() -> None:
    after = fold(state(), [kept(1, analysis())])
    assert opening_of(after) == state()


EARLIER, LATER = kept(1, analysis(suggested_question="One?")), kept(3, analysis(suggested_question="Three?"))


def test_a_stage_change_between_two_turns_stays_when_they_are_folded_again() -> None:
    moved = fold(BARE, [LATER]).model_copy(update={"deal_stage": DealStage.DISCOVERY, "escalated": True})
    again = arriving(moved, [EARLIER], [LATER])
    assert (again.deal_stage, again.escalated, again.interaction_count) == (DealStage.DISCOVERY, True, 2)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_knowledge_from_elsewhere_stays_however_often_the_turns_are_folded_again(times: int) -> None:
    known = qualification_from({Dimension.CHAMPION: signal("Anke", 0.9, ("CRM", 0))})
    current = fold(BARE, [LATER])
    current = current.model_copy(update={"qualification": merge_qualification_signals(current.qualification, known)})
    late = [kept(index, analysis(suggested_question=f"And {index}?")) for index in (2, 1, 0)][:times]
    current = arriving(current, late, [LATER])
    assert current.qualification.meddic.champion.value == "Anke"
    assert current.confidence_score == pytest.approx(0.09)
    assert current.interaction_count == times + 1


def test_without_knowledge_from_elsewhere_nothing_wrong_survives_the_second_folding() -> None:
    def budget(value: str, turn: int) -> Analysis:
        return analysis({Dimension.BUDGET: signal(value, 0.8, (f"It is {turn}", turn))})

    first, second = kept(1, budget("40k", 1)), kept(3, budget("50k", 3))
    assert arriving(BARE, [second]).qualification.bant.budget.value == "50k"
    assert arriving(BARE, [second, first]).qualification.bant.budget.value == "40k"  # a tie keeps the earlier


def test_somebody_contacted_since_stays_contacted() -> None:
    trigger = ExpansionTrigger(mentioned_name_or_role="Anke Meyer", urgency=Urgency.NEXT_CONVERSATION)
    mentioned = kept(3, analysis(triggers=(trigger,)))
    current = fold(BARE, [mentioned])
    current = memory.put(current, expansion=archive_contacted(memory.expansion(current), "Anke Meyer"))
    again = arriving(current, [EARLIER], [mentioned])
    assert [entry.contacted for entry in memory.expansion(again).entries] == [True]


def test_a_late_turn_is_analysed_in_the_state_that_was_there_before_it() -> None:
    first, second, third = (kept(n, analysis(suggested_question=f"What about {n}?")) for n in (1, 3, 5))
    current = arriving(BARE, [first, third])
    assert state_before(second.turn.index, current, [first, third]) == fold(BARE, [first])
    assert state_before(7, current, [first, third]) == current

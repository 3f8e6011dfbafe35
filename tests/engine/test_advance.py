"""One state, one turn and its analysis give the next state."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic_core import to_json

from engine import memory
from engine.advance import advance
from engine.guardrails import guard
from engine.model.conversation import Channel, DealStage, Speaker, Turn
from engine.model.qbs import EngagementSignal, ExpansionTrigger, PainDepthLevel, Urgency
from engine.model.qualification import Dimension
from engine.model.state import ConversationState
from tests.engine.values import analysis, customer, signal, state

TURN = Turn(
    index=1,
    speaker=Speaker.CUSTOMER,
    text="Scrap costs us 40k a month. Anke signs.",
    time=datetime(2026, 3, 4, 9, tzinfo=UTC),
    channel=Channel.CALL,
)


def stepped(before: ConversationState, turn: Turn = TURN, **fields: object) -> ConversationState:
    return advance(before, turn, guard(before, turn, (), analysis(**fields)))  # type: ignore[arg-type]


def test_an_analysis_that_was_not_guarded_is_refused() -> None:
    with pytest.raises(ValueError, match="guardrails"):
        advance(state(), TURN, analysis())


def test_counters_channel_and_time_move_on_and_the_state_before_is_untouched() -> None:
    before = state()
    after = stepped(before)
    assert (after.interaction_count, after.last_channel, after.last_interaction) == (1, Channel.CALL, TURN.time)
    assert before == state()


def test_the_deal_stage_stays_whatever_was_found() -> None:
    before = state(deal_stage=DealStage.DISCOVERY)
    found = {Dimension.BUDGET: signal("approved, signed, done", 1.0, ("Scrap costs us 40k", 1))}
    assert stepped(before, found=found).deal_stage is DealStage.DISCOVERY


def test_what_was_found_is_merged_and_its_pain_becomes_a_topic() -> None:
    found = {Dimension.PAIN: signal("scrap", 0.8, ("Scrap costs us 40k a month", 1))}
    after = stepped(state(), found=found, pain_depth=PainDepthLevel.BUSINESS_IMPACT)
    assert after.qualification.meddic.identified_pain.value == "scrap"
    assert after.qualification.last_updated == TURN.time
    assert after.confidence_score == pytest.approx(0.08)
    (topic,) = memory.pain(after).topics
    assert (topic.name, topic.depth) == ("scrap", PainDepthLevel.BUSINESS_IMPACT)
    assert [item.quote for item in topic.evidence] == ["Scrap costs us 40k a month"]


def test_an_ungrounded_pain_becomes_no_topic() -> None:
    after = stepped(state(), found={Dimension.PAIN: signal("scrap", 0.8, ("never said", 1))})
    assert memory.pain(after).topics == ()


def test_people_and_the_question_are_remembered_and_next_actions_say_what_to_do() -> None:
    trigger = ExpansionTrigger(mentioned_name_or_role="Anke", urgency=Urgency.IMMEDIATE)
    after = stepped(state(interaction_count=3), triggers=(trigger,), suggested_question="Who would notice first?")
    assert [entry.trigger.mentioned_name_or_role for entry in memory.expansion(after).entries] == ["Anke"]
    assert memory.fingerprint("who would notice first") in memory.asked(after)
    assert after.next_actions == ("Ask: Who would notice first?", "Ask for an introduction to Anke")


def test_without_a_question_there_is_nothing_to_ask_and_none_to_remember() -> None:
    after = stepped(state(), suggested_question="")
    assert (after.next_actions, memory.asked(after)) == ((), frozenset())


def test_somebody_mentioned_again_is_one_entry_with_two_mentions() -> None:
    first = stepped(state(), triggers=(ExpansionTrigger(mentioned_name_or_role="the CFO"),))
    again = stepped(first, triggers=(ExpansionTrigger(mentioned_name_or_role="our CFO"),))
    (entry,) = memory.expansion(again).entries
    assert (entry.mentions, entry.first_seen, entry.last_seen) == (2, 0, 1)


def test_at_most_twenty_people_are_remembered_and_the_newest_are_kept() -> None:
    after = state()
    for number in range(25):
        after = stepped(after, triggers=(ExpansionTrigger(mentioned_name_or_role=f"Person{chr(97 + number)}"),))
    names = [entry.trigger.mentioned_name_or_role for entry in memory.expansion(after).entries]
    assert len(names) <= 20
    assert names[-1] == "Persony"
    assert memory.expansion(after).dropped == 25 - len(names)


def test_five_hundred_turns_of_the_chattiest_customer_stay_within_five_kilobytes() -> None:
    after = state()
    for number in range(500):
        text = f"Problem {number} " + "keeps costing us money and nerves, " * 12
        names = [f"Person {number % 37} {part}" for part in ("Aarts", "Brink", "Costa")]
        after = stepped(
            after,
            customer(text, index=number),
            found={Dimension.PAIN: signal(f"problem {number}", 0.8, (text[:300], number))},
            triggers=tuple(ExpansionTrigger(mentioned_name_or_role=name, context_quote=text[:200]) for name in names),
            topic=f"problem number {number % 23} with a long name that goes on",
            suggested_question=f"It sounds like {number} things went wrong. What happened after number {number}?",
            engagement_signal=EngagementSignal.HIGH_ENERGY,
        )
    assert len(to_json(after.metadata["qbs"])) <= 5 * 1024
    assert after.interaction_count == 500

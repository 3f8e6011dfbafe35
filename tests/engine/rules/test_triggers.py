"""People newly mentioned are reported with how and when to ask for an introduction."""

from __future__ import annotations

import pytest

from engine.model.conversation import Channel
from engine.model.qbs import ExpansionTrigger, Urgency
from engine.model.state import ConversationState
from tests.engine.rules.saying import saying
from tests.engine.values import state


def triggers(text: str, before: ConversationState | None = None) -> tuple[ExpansionTrigger, ...]:
    return saying(text, before=before or state(interaction_count=5, last_channel=Channel.CHAT)).expansion.triggers


@pytest.mark.parametrize(
    ("said", "urgency"),
    [
        ("You should talk to Henk, he does the planning.", Urgency.IMMEDIATE),
        ("Sunil will write to you himself.", Urgency.IMMEDIATE),
        ("Henk does the planning.", Urgency.NEXT_CONVERSATION),
        ("Not yet, let me ask Henk first.", Urgency.AFTER_TRUST_BUILDS),
        ("Our CFO reads every page.", Urgency.AFTER_TRUST_BUILDS),
        ("Not interested, please don't call Henk.", Urgency.AFTER_TRUST_BUILDS),
    ],
)
def test_when_to_ask_depends_on_how_somebody_is_mentioned(said: str, urgency: Urgency) -> None:
    (trigger,) = triggers(said)
    assert trigger.urgency is urgency
    assert trigger.context_quote in said
    assert trigger.expansion_approach


@pytest.mark.parametrize(("count", "urgency"), [(0, "next_conversation"), (2, "next_conversation"), (3, "immediate")])
def test_nobody_is_asked_for_at_once_before_the_third_interaction(count: int, urgency: str) -> None:
    (trigger,) = triggers("You should talk to Henk.", state(interaction_count=count, last_channel=Channel.CHAT))
    assert trigger.urgency == urgency


def test_the_contact_the_seller_and_known_people_are_not_reported() -> None:
    before = state(metadata={"context": {"known_contacts": ["Walt Brzezicki (CFO)"]}})
    said = "Hi Marcus,\nIda Holm here. Walt, our CFO, and Henk were there."
    assert [trigger.mentioned_name_or_role for trigger in triggers(said, before)] == ["Henk"]


def test_what_is_said_of_them_is_kept() -> None:
    (walt,) = triggers("It goes to our CFO, Walt Brzezicki.")
    assert walt.relationship_to_contact == "CFO, named by the contact"
    (boss,) = triggers("I'd have to ask my boss.")
    assert boss.relationship_to_contact == "the contact's superior"

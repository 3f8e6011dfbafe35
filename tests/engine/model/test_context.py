"""The header of a conversation travels in the state, small, and survives being stored."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.model.context import ConversationContext
from engine.model.conversation import Channel, Contact, Conversation, Persona, Speaker, Turn
from engine.model.state import ConversationState, opening_state
from tests.engine.values import state


def conversation(**fields: Any) -> Conversation:
    known: dict[str, Any] = {
        "id": "mill",
        "title": "Night stops",
        "account": "Norrland Mills",
        "industry": "Paper",
        "offering": "Maintenance planning",
        "contact": Contact(name="Ida Holm", title="Plant manager"),
        "persona": Persona.MANAGER,
        "channel": Channel.CHAT,
        "known_contacts": ("Per Lund",),
        "turns": (Turn(index=0, speaker=Speaker.CUSTOMER, text="hello"),),
    }
    return Conversation(**{**known, **fields})


def test_the_opening_state_carries_the_header_through_json() -> None:
    opened = opening_state(conversation())
    stored = ConversationState.model_validate(json.loads(opened.model_dump_json()))
    assert ConversationContext.of_state(stored) == ConversationContext(
        account="Norrland Mills",
        industry="Paper",
        offering="Maintenance planning",
        contact_name="Ida Holm",
        contact_title="Plant manager",
        known_contacts=("Per Lund",),
    )


@pytest.mark.parametrize("metadata", [{}, {"context": {"colour": "red"}}, {"context": None}, {"context": "x"}])
def test_without_a_sound_header_the_state_itself_says_who(metadata: dict[str, Any]) -> None:
    context = ConversationContext.of_state(state(account_id="acme", metadata=metadata))
    assert (context.account, context.contact_name, context.known_contacts) == ("acme", "Ida Holm", ())


def test_the_header_stays_small_however_many_contacts_are_known() -> None:
    many = conversation(known_contacts=tuple(f"{number} {'x' * 290}" for number in range(500)))
    metadata = opening_state(many).metadata["context"]
    assert len(metadata["known_contacts"]) == 20
    assert len(json.dumps(metadata)) < 4096

"""What tests of live conversations have in common: messages of a talk, and what must hold of it afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from pydantic_core import to_json

from engine import memory
from engine.folding import KeptTurn, fold, opening_of
from engine.live import LiveConversation, LiveEngine, Message
from engine.model.conversation import Speaker
from engine.model.state import ConversationState
from engine.outcomes import OutcomeStatus, OutcomeType, count_outcomes
from engine.state.database import Database
from tests.integration.scripted_analyzer import QUESTIONS

ACCOUNT, CONTACT = "norrland-mills", "ines.faro"
WHERE = (ACCOUNT, CONTACT)


def said(index: int, speaker: Speaker | None = None) -> Message:
    """Message `index` of a talk in which seller and customer speak by turns, the seller first.

    The seller asks what the script would recommend later: whether it is asked again depends on who spoke first.
    """
    speaker = speaker or (Speaker.CUSTOMER if index % 2 else Speaker.SELLER)
    text = f"It is message {index}." if speaker is Speaker.CUSTOMER else QUESTIONS[index // 4 % len(QUESTIONS)]
    return Message(id=f"m-{index}", text=text, speaker=speaker, index=index)


def talk(count: int) -> tuple[Message, ...]:
    return tuple(said(index) for index in range(count))


async def kept(engine: LiveEngine, tenant: UUID, contact: str = CONTACT) -> LiveConversation:
    conversation = await engine.conversation(tenant, ACCOUNT, contact)
    assert conversation is not None
    return conversation


def assert_all_counted_once(conversation: LiveConversation, ids: Iterable[str]) -> None:
    """Exactly these messages are there, every customer's is analysed, and the state is the fold of them all."""
    assert sorted(message.message_id for message in conversation.messages) == sorted(ids)
    turns = [KeptTurn(message.turn, message.analysis) for message in conversation.messages]
    asked = [kept for kept in turns if kept.turn.speaker is Speaker.CUSTOMER]
    assert all(kept.analysis is not None for kept in asked)
    state = conversation.saved.state
    assert state.interaction_count == len(asked)
    assert state == fold(opening_of(state), turns)
    assert len(to_json(state.metadata.get("qbs", {}))) <= memory.LIMIT_BYTES


def without_ids(state: ConversationState) -> ConversationState:
    """A state to compare with another contact's."""
    ids = {"tenant_id": "", "state_id": "", "contact_id": "", "created_at": None}
    return state.model_copy(update=ids)


async def outcomes_of(database: Database, tenant: UUID) -> dict[tuple[OutcomeType, OutcomeStatus], int]:
    """How many outcomes of a tenant stand where."""
    async with database.tenant(tenant).begin() as session:
        counts = await count_outcomes(session)
    found: dict[tuple[OutcomeType, OutcomeStatus], int] = {}
    for each in counts:
        place = each.outcome_type, each.status
        found[place] = found.get(place, 0) + each.count
    return found

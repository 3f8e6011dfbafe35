"""Everything carried from turn to turn."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, Field

from engine.model.context import ConversationContext
from engine.model.conversation import Channel, Conversation, DealStage, Persona
from engine.model.qualification import QualificationState
from engine.model.value import Probability, Value


class ConversationState(Value):
    """The state of one contact's conversation. All QBS state lives in `metadata["qbs"]` (see `engine.memory`),
    the conversation's header in `metadata["context"]` (see `engine.model.context`).

    `metadata` is treated as frozen too: nobody writes into it, everybody makes a new one.
    """

    state_id: str
    tenant_id: str
    account_id: str
    contact_id: str
    contact_email: str | None = None
    contact_name: str | None = None
    deal_stage: DealStage = DealStage.PROSPECTING
    persona_type: Persona = Persona.MANAGER
    qualification: QualificationState = QualificationState()
    interaction_count: int = Field(default=0, ge=0)
    last_interaction: AwareDatetime | None = None
    last_channel: Channel | None = None
    confidence_score: Probability = 0.0
    escalated: bool = False
    next_actions: tuple[str, ...] = ()
    created_at: AwareDatetime | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


def opening_state(conversation: Conversation, tenant_id: str = "replay") -> ConversationState:
    """The state before the first turn of a recorded conversation."""
    return ConversationState(
        state_id=f"{tenant_id}:{conversation.id}",
        tenant_id=tenant_id,
        account_id=conversation.account,
        contact_id=conversation.contact.email or conversation.contact.name,
        contact_email=conversation.contact.email,
        contact_name=conversation.contact.name,
        deal_stage=conversation.opening_stage,
        persona_type=conversation.persona,
        last_channel=conversation.channel,
        created_at=conversation.turns[0].time,
        metadata={"context": ConversationContext.of_conversation(conversation).as_metadata()},
    )

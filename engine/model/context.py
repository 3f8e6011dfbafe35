"""What the seller knew before the first turn: account, offering, contact, and whom else they know there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import StringConstraints, ValidationError

from engine.model.conversation import Conversation, ShortText
from engine.model.value import Value

if TYPE_CHECKING:
    from engine.model.state import ConversationState

MAX_KNOWN_CONTACTS = 20
MAX_CONTACT_CHARACTERS = 120

KnownContact = Annotated[str, StringConstraints(max_length=MAX_CONTACT_CHARACTERS, strip_whitespace=True)]


class ConversationContext(Value):
    """The header of a conversation, as prompts need it. It never changes from turn to turn.

    Kept in `metadata["context"]` of a state, so that live use has what a replay has; at most
    `MAX_KNOWN_CONTACTS` known contacts, the first ones.
    """

    account: ShortText = ""
    industry: ShortText | None = None
    offering: ShortText | None = None
    contact_name: ShortText | None = None
    contact_title: ShortText | None = None
    known_contacts: tuple[KnownContact, ...] = ()

    @classmethod
    def of_conversation(cls, conversation: Conversation) -> ConversationContext:
        known = (name[:MAX_CONTACT_CHARACTERS] for name in conversation.known_contacts[:MAX_KNOWN_CONTACTS])
        return cls(
            account=conversation.account,
            industry=conversation.industry,
            offering=conversation.offering,
            contact_name=conversation.contact.name,
            contact_title=conversation.contact.title,
            known_contacts=tuple(known),
        )

    @classmethod
    def of_state(cls, state: ConversationState) -> ConversationContext:
        """The context in `state.metadata`; without one (or with a broken one), what the state itself says."""
        try:
            return cls.model_validate(state.metadata["context"])
        except (KeyError, ValidationError):
            return cls.model_construct(account=state.account_id, contact_name=state.contact_name)

    def as_metadata(self) -> dict[str, object]:
        """Plain JSON values for `metadata["context"]`."""
        return self.model_dump(mode="json", exclude_defaults=True)

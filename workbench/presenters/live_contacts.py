"""Whom one can talk to live: customers of recorded conversations, and contacts that the database keeps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.model.context import ConversationContext
from engine.model.conversation import Channel, Conversation, Persona
from engine.model.state import ConversationState
from evals.library import Dataset
from workbench.presenters.live_script import script_of
from workbench.text import clip

_FOUNDER = "founder"  # of the data set that comes with the project: everything on the page moves, and soon
_LONGEST = 300  # characters
_BETWEEN = "\x1f"  # in no account's name that a person can type


@dataclass(frozen=True, slots=True)
class ListedContact:
    """A contact of an account."""

    account: str
    contact: str

    @property
    def option(self) -> str:
        """What a widget holds for it."""
        return option_of(self.account, self.contact)

    @classmethod
    def of_option(cls, option: str) -> ListedContact:
        account, _, contact = option.partition(_BETWEEN)
        return cls(account, contact)


def option_of(account: str, contact: str) -> str:
    return f"{account}{_BETWEEN}{contact}"


def options(scripts: Iterable[Conversation], kept: Sequence[ListedContact], wanted: str | None) -> dict[str, str]:
    """What there is to choose from, each with its name: one's own contacts first, then the scripted customers.

    The takes of a script are one. `wanted` is among them, even if nothing was said to it yet.
    """
    named = {item.id: f"{item.title} · {item.id}" for item in sorted(scripts, key=lambda item: item.title.casefold())}
    own = {item.option: _name(item) for item in kept if not _is_take(item, named)}
    if wanted and _BETWEEN in wanted and wanted not in own:
        own = {wanted: _name(ListedContact.of_option(wanted)), **own}
    return {**own, **named}


def new_contact(account: str, contact: str, level: Persona) -> ConversationState:
    """The state of somebody to whom nobody has talked yet. Ids and tenant are given to it when it is saved."""
    context = ConversationContext(account=clip(account, _LONGEST), contact_name=clip(contact, _LONGEST))
    return ConversationState(
        state_id="",
        tenant_id="",
        account_id=account,
        contact_id=contact,
        contact_name=contact,
        persona_type=level,
        last_channel=Channel.CHAT,
        metadata={"context": context.as_metadata()},
    )


def default_script(dataset: Dataset) -> str:
    """Whom to begin with: the founder, else a chat, because its messages are short."""
    if _FOUNDER in dataset.hashes:
        return _FOUNDER
    candidates = dataset.part("dev") or dataset.conversations
    chats = [item.id for item in candidates if item.channel is Channel.CHAT]
    return (chats or [item.id for item in candidates])[0]


def _is_take(item: ListedContact, scripts: dict[str, str]) -> bool:
    found = script_of(item.contact)
    return found is not None and found[0] in scripts


def _name(item: ListedContact) -> str:
    return f"{item.contact}, {item.account}"

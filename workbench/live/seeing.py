"""What is kept of the contacts that are talked to, read in a session of a tenant's."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from engine.folding import KeptTurn
from workbench.live.values import Kept, LiveContact
from workbench.presenters.live_contacts import ListedContact
from workbench.presenters.live_stages import Moved
from workbench.presenters.live_tenants import Sight

if TYPE_CHECKING:
    from engine.state.database import TenantSession

MOST_LISTED = 50


async def newest_contacts(session: TenantSession) -> tuple[ListedContact, ...]:
    """The contacts that were talked to last, newest first."""
    from engine.state.repository import ConversationStateRepository

    page = await ConversationStateRepository(session).list(limit=MOST_LISTED)
    return tuple(ListedContact(item.state.account_id, item.state.contact_id) for item in page.states)


async def kept_of(session: TenantSession, contact: LiveContact) -> Kept:
    """Everything that is kept of a contact."""
    from engine.outcomes import OutcomeType, list_outcomes
    from engine.state.messages import MessageLog
    from engine.state.repository import ConversationStateRepository

    repository = ConversationStateRepository(session)
    saved = await repository.get(contact.account, contact.contact)
    sight = await sight_of(session, contact, contact.tenant)
    if saved is None:
        return Kept(sight)
    state_id = UUID(saved.state.state_id)
    messages = await MessageLog(session).messages(state_id)
    moves = await repository.stage_history(contact.account, contact.contact)
    page = await list_outcomes(session, state_id=state_id, outcome_type=OutcomeType.EMAIL_ENGAGEMENT, limit=1)
    return Kept(
        sight,
        saved,
        tuple(KeptTurn(message.turn, message.analysis) for message in messages),
        tuple(message.message_id for message in messages),
        tuple(Moved(move.before, move.to, move.at, move.by) for move in reversed(moves)),
        page.outcomes[0] if page.outcomes else None,
    )


async def sight_of(session: TenantSession, contact: LiveContact, tenant: str) -> Sight:
    """How many rows of a contact are seen in a session of `tenant`."""
    from engine.state.repository import state_id_of
    from engine.state.tenants import tenant_uuid
    from engine.state.visible_rows import visible_rows

    state_id = state_id_of(tenant_uuid(contact.tenant), contact.account, contact.contact)
    return Sight(tenant, str(session.tenant_id), await visible_rows(session, state_id))


async def moves_made(session: TenantSession, contact: LiveContact, reason: str) -> int:
    """How many moves of a contact's deal were made for `reason`."""
    from engine.state.repository import ConversationStateRepository

    moves = await ConversationStateRepository(session).stage_history(contact.account, contact.contact)
    return sum(move.reason == reason for move in moves)

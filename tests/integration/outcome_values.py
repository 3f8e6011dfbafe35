"""Recommendations at chosen moments, to tests' outcomes: a contact's state, and what became of its questions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from engine.model.qbs import QBSQuestionType
from engine.model.state import ConversationState
from engine.outcomes import Outcome, OutcomeTracker, OutcomeType, list_outcomes, record_qbs_outcome
from engine.outcomes.sql import statement
from engine.state.database import Database, TenantSession
from tests.engine import values

NOW = datetime.now(UTC).replace(microsecond=0)
EMAIL = (OutcomeType.EMAIL_ENGAGEMENT,)

_STATE = statement("""
insert into qbs.conversation_states (
    tenant_id, state_id, account_id, contact_id, deal_stage, persona_type, qualification_data, metadata,
    schema_version, interaction_count, confidence_score, escalated, next_actions, version
) values (:tenant_id, :state_id, 'acme', :contact, 'discovery', 'manager', '{}', '{}', 1, 1, 0, false, '[]', 1)
on conflict do nothing
""")


def ago(hours: float = 0, *, seconds: float = 0) -> datetime:
    return NOW - timedelta(hours=hours, seconds=seconds)


async def contact(session: TenantSession, name: str = "ann", **changes: Any) -> ConversationState:
    """The state of a contact, with its row."""
    state_id = uuid5(session.tenant_id, name)
    await session.send(_STATE(tenant_id=session.tenant_id, state_id=state_id, contact=name))
    return values.state(
        state_id=str(state_id), tenant_id=str(session.tenant_id), account_id="acme", contact_id=name, **changes
    )


async def asked(
    session: TenantSession,
    state: ConversationState,
    at: datetime,
    *,
    types: tuple[OutcomeType, ...] = EMAIL,
    kind: QBSQuestionType = QBSQuestionType.PAIN_FUNNEL,
    confidence: float = 0.6,
) -> Outcome:
    """A recommendation made `at`; its outcome of the first type."""
    analysis = values.analysis(question_type=kind, confidence=confidence)
    turn = values.customer("We type every order twice.", index=1)
    recorded = await record_qbs_outcome(
        session, state, turn, analysis, types=types, at=at, key=f"{state.state_id}@{at}"
    )
    return recorded[0]


async def statuses(database: Database, tenant: UUID) -> Mapping[UUID, str]:
    """Where each outcome of the tenant stands."""
    async with database.tenant(tenant).begin() as session:
        page = await list_outcomes(session, limit=1000)
    return {each.outcome.outcome_id: str(each.status) for each in page.outcomes}


async def status_of(database: Database, tenant: UUID, outcome: Outcome) -> str:
    return (await statuses(database, tenant))[outcome.outcome_id]


async def reply(database: Database, tenant: UUID, state: ConversationState, at: datetime, key: str = "reply") -> Any:
    """One delivery of a reply, in a transaction of its own."""
    async with database.tenant(tenant).begin() as session:
        return await OutcomeTracker(session).record_reply(state.state_id, at=at, key=key)

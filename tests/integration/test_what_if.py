"""From a question chosen at random in production to an answer about another way of choosing, through the whole line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from engine.analyzers import RulesAnalyzer
from engine.exploration import Exploration
from engine.live import LiveEngine, Message
from engine.model.outcome import OutcomeType
from engine.outcomes import list_outcomes, record_qbs_outcome, resolve_closed
from engine.state.database import Database
from engine.state.embedded import EmbeddedServer
from evals.learning.facts import OutcomeStore
from evals.learning.off_policy.log import choice_log
from evals.learning.sync import sync
from workbench.services import build_services
from workbench.settings import load_settings
from workbench.what_ifs import WhatIfs

TEXTS = (
    "The line stops every night and it costs us two hours of rework each time.",
    "We need fewer stops, and our CFO has noticed the scrap.",
    "Nobody owns it, so everybody blames the planning.",
)
CONTACTS = 4


async def explored_long_ago(database: Database, tenant: UUID) -> int:
    """Conversations with explored questions, whose outcomes are recorded once more as if days had passed since."""
    engine = LiveEngine(database, RulesAnalyzer(), exploration=Exploration(0.5))
    recorded = 0
    for number in range(CONTACTS):
        for part, text in enumerate(TEXTS):
            message = Message(id=f"{number}-{part}", text=text, speaker="customer")
            taken = await engine.take_turn(tenant, "acme", f"contact-{number}", message)
            assert taken.analysis is not None
            async with database.tenant(tenant).begin() as session:
                page = await list_outcomes(session, state_id=UUID(taken.state.state_id), limit=50)
                details = next(
                    each.outcome.details for each in page.outcomes if each.outcome.outcome_id == taken.outcome_id
                )
                await record_qbs_outcome(
                    session, taken.state, taken.turn, taken.analysis, types=(OutcomeType.EMAIL_ENGAGEMENT,),
                    at=datetime.now(UTC) - timedelta(days=30 - 3 * part), key=f"again-{number}-{part}",
                    propensity=details.propensity, choices=details.choices,
                )  # fmt: skip
            recorded += 1
    async with database.tenant(tenant).begin() as session:
        await resolve_closed(session, datetime.now(UTC))
    return recorded


async def test_what_was_explored_is_known_to_whoever_asks_what_if(
    postgres: EmbeddedServer, database: Database, tenant: UUID, tmp_path: Path
) -> None:
    recorded = await explored_long_ago(database, tenant)
    store = OutcomeStore(tmp_path / "outcomes.duckdb")
    await sync(database, store, tenant)
    log = choice_log(store.facts(tenant))
    assert len(log) == recorded
    assert log.offered is not None
    assert log.left_out.unlike == 0
    assert log.parts == ("question_type", "target", "delivery")
    assert float(log.offered.share.sum()) == pytest.approx(recorded)

    services = build_services(load_settings({"QBS_HOME": str(tmp_path), "QBS_DATABASE_URL": postgres.urls.app}))
    found = await WhatIfs(services, tenant).ask("variant:rules", by=("question_type", "delivery"))
    assert found.policy == "the variant rules"
    assert found.refusal is not None  # so few cannot tell; but all of them were asked about
    assert found.refusal.reason == "too_few"
    assert (found.outcomes, found.conversations, found.left_out.unmatched) == (recorded, CONTACTS, 0)
    assert not found.simulated

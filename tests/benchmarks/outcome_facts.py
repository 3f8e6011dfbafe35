"""The copy of outcomes: a million synchronised from Postgres, and intervals that hold."""

from __future__ import annotations

import asyncio
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import psycopg

from engine.state.database import Database
from engine.state.urls import DatabaseUrls
from evals.learning.facts import OutcomeStore
from evals.learning.pooling import pooled
from evals.learning.rates import rate_of
from evals.learning.simulated import SimulatedWorld, simulate
from evals.learning.sync import Synced, sync
from tests.benchmarks.figure import Figure
from tests.benchmarks.server import embedded
from tests.evals.learning.values import cells_of

CONTACTS, ASKED_EACH = 200_000, 5
_CONTACTS = """
insert into qbs.conversation_states (
    tenant_id, state_id, account_id, contact_id, deal_stage, persona_type, qualification_data, metadata,
    schema_version, interaction_count, confidence_score, escalated, next_actions, version)
select %(tenant)s, md5(%(tenant)s || number)::uuid, 'account-' || number / 2, 'contact-' || number, 'discovery',
       'manager', '{}', '{}', 1, 1, 0, false, '[]', 1
  from generate_series(1, %(contacts)s) number
"""
_OUTCOMES = """
insert into qbs.outcomes (
    tenant_id, outcome_id, state_id, idempotency_key, action_type, outcome_type, predicted_confidence,
    recommended_at, closes_at, details, schema_version)
select %(tenant)s, md5('o' || number || '/' || days)::uuid, md5(%(tenant)s || number)::uuid, number || '/' || days,
       'qbs_' || (array['pain_funnel', 'impact', 'solution', 'confirmation'])[1 + (number + days) %% 4],
       'email_engagement', 0.6, asked, asked + interval '24 hours',
       jsonb_build_object(
           'target', (array['budget', 'need', 'pain', 'champion'])[1 + number %% 4], 'delivery', 'label',
           'engagement', 'factual', 'pain_depth', 'surface', 'stage', 'discovery', 'persona', 'manager',
           'interaction_count', days, 'turn', 2 * days, 'channel', 'email', 'analyzer', 'llm', 'model', 'some/model',
           'prompt', 'question@5e1f0a3c', 'fallback_reason', null, 'guardrails', '[]'::jsonb, 'propensity', 0.25,
           'calibration', null, 'calibrated_confidence', null), 1
  from generate_series(1, %(contacts)s) number, generate_series(1, %(each)s) days,
       lateral (select now() - days * interval '25 hours' - number * interval '1 millisecond' as asked)
"""
_EVENTS = """
insert into qbs.outcome_events (tenant_id, event_id, outcome_id, kind, occurred_at, idempotency_key, details)
select tenant_id, outcome_id, outcome_id, case when ascii(idempotency_key) %% 3 = 0 then 'positive' else 'negative' end,
       case when ascii(idempotency_key) %% 3 = 0 then recommended_at + interval '2 hours' else closes_at end,
       outcome_id, '{}'
  from qbs.outcomes where tenant_id = %(tenant)s
"""
WORLDS = 200
_BY = ("question_type", "delivery", "persona", "stage", "channel")


def measure() -> list[Figure]:
    return [*_sync(), *_coverage()]


def _coverage() -> list[Figure]:
    """In simulated worlds, how many 95 % intervals hold the rate that the world really has."""
    truth = {
        (by, label): _true_rate(world, by, label)
        for world in [simulate(999, 100_000)]
        for by in _BY
        for label in world.facts.words(by).labels
    }
    plain, by_conversation, shrunk = [], [], []
    for seed in range(WORLDS):
        facts = simulate(seed).facts
        for by in _BY:
            cells = list(cells_of(facts, by))
            for cell, pulled in zip(cells, pooled(cells), strict=True):
                rate, true = rate_of(cell), truth[by, str(cell.key[0])]
                naive = rate_of(replace(cell, conversations=None))
                plain.append(_holds(naive.low, naive.high, true))
                by_conversation.append(_holds(rate.low, rate.high, true))
                shrunk.append(_holds(pulled.low, pulled.high, true))
    covered = 100 * sum(by_conversation) / len(by_conversation)
    worlds = f"{WORLDS} worlds of 2,000 outcomes, {len(plain)} cells"
    return [
        Figure("95 % intervals of reply rates that hold the truth", covered, "%", 92, "at least", worlds),
        Figure("the same, not too many", covered, "%", 98),
        Figure("the same, outcomes taken for independent", 100 * sum(plain) / len(plain), "%"),
        Figure("the same, pulled toward the whole", 100 * sum(shrunk) / len(shrunk), "%"),
    ]


def _true_rate(world: SimulatedWorld, by: str, label: str) -> float:
    chosen = world.facts.resolved & world.facts.words(by).equals(label)
    return float(world.truth.recorded[chosen].mean())


def _holds(low: float | None, high: float | None, true: float) -> bool:
    return low is not None and high is not None and low <= true <= high


def _sync() -> list[Figure]:
    with embedded() as urls, tempfile.TemporaryDirectory() as home:
        tenant = uuid4()
        _fill(urls, tenant)
        store = OutcomeStore(Path(home) / "outcomes.duckdb")
        wall, cpu = time.perf_counter(), time.process_time()
        synced = asyncio.run(_synced(urls, store, tenant))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        again = asyncio.run(_synced(urls, store, tenant))
    outcomes, rows = synced.outcomes, synced.outcomes + synced.events
    assert outcomes == CONTACTS * ASKED_EACH
    assert (again.outcomes, again.events) == (0, 0)
    stages = f"read {synced.read_s:.1f} s, added {synced.added_s:.1f} s beside it, derived {synced.derived_s:.1f} s"
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Figure("new outcomes synchronised, of 1,000,000 with an event each", outcomes / wall, "a second", note=stages),
        Figure("the same, rows of both", rows / wall, "a second", 50_000, "at least", f"{1e6 * cpu / rows:.1f} us CPU"),
        Figure("memory of it, at most", memory, "MB"),
    ]


async def _synced(urls: DatabaseUrls, store: OutcomeStore, tenant: UUID) -> Synced:
    database = Database(urls.app, timeout_s=600)
    try:
        return await sync(database, store, tenant)
    finally:
        await database.aclose()


def _fill(urls: DatabaseUrls, tenant: UUID) -> None:
    values = {"tenant": str(tenant), "contacts": CONTACTS, "each": ASKED_EACH}
    with psycopg.connect(urls.maintenance, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute("set session_replication_role = replica")
        for statement in (_CONTACTS, _OUTCOMES, _EVENTS):
            connection.execute(statement, values)
        connection.execute("vacuum (analyze) qbs.outcomes")
        connection.execute("vacuum (analyze) qbs.outcome_events")
        connection.execute("analyze qbs.conversation_states")

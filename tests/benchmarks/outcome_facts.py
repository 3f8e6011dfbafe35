"""The copy of outcomes: a million synchronised from Postgres, ten million looked at, and intervals that hold."""

from __future__ import annotations

import asyncio
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg

from engine.state.database import Database
from engine.state.embedded import start_embedded
from engine.state.schema import upgrade
from engine.state.urls import DatabaseUrls
from evals.learning.facts import Filters, OutcomeStore
from evals.learning.facts.refreshing import counting
from evals.learning.facts.schema import DETAILS, ENUMS, RECORDED, STANDING, STANDING_CODE
from evals.learning.pooling import pooled
from evals.learning.rates import rate_of
from evals.learning.simulated import SimulatedWorld, simulate
from evals.learning.sync import Synced, sync
from tests.benchmarks.figure import Figure, median_seconds
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


# As many outcomes as a large firm has in years, all dimensions independent of each other: the most different cells.
_MANY = """
INSERT INTO {t}.outcome_facts ({names})
SELECT md5('' || i)::UUID, NULL, (i // 4)::INTEGER, 'qbs_impact', 'email_engagement', 0.3 + 0.5 * (h % 1000) / 1000,
       asked, asked + INTERVAL 1 DAY, asked, {details}, NULL, 'postgres', 'postgres',
       (['positive', 'positive', 'positive', 'negative', 'negative', 'negative', 'late', 'superseded', 'not_sent',
         'pending'][1 + ((h >> 40) % 10)::INTEGER])::main.status, true,
       CASE WHEN (h >> 40) % 10 < 3 THEN asked + to_seconds(((h >> 20) % 86400)::BIGINT) END, NULL,
       CASE WHEN (h >> 40) % 10 = 8 THEN false WHEN h % 5 > 0 THEN true END, (h >> 13) % 7 = 0, 0,
       (i // (10_000_000 // 60))::SMALLINT + 2900, ((h >> 20) % 86400)::INTEGER
  FROM (SELECT i, hash(i) AS h, TIMESTAMP '2025-07-28' + to_seconds(i * 3.6) AS asked FROM range({rows}) range_(i))
"""
_ROWS = 10_000_000
WORLDS = 200
_BY = ("question_type", "delivery", "persona", "stage", "channel")
_SHOWN = ("question_type", "target", "delivery", "engagement", "pain_depth", "stage", "persona", "channel", "prompt")


def measure() -> list[Figure]:
    return [*_sync(), *_page(), *_coverage()]


def _page() -> list[Figure]:
    """What the metrics page asks of the copy, at first and when a filter changes."""
    with tempfile.TemporaryDirectory() as home:
        store = OutcomeStore(Path(home) / "outcomes.duckdb")
        tenant = uuid4()
        store.work(tenant, _fill_copy)
        rows = store.cells(tenant, clustered=False)[0].outcomes
        assert rows == _ROWS
        first = median_seconds(lambda: _view(store, tenant, Filters()), repeats=3)
        stage, persona = Filters({"stage": ["discovery"]}), Filters({"stage": ["discovery"], "persona": ["ic"]})
        change = median_seconds(lambda: _view(store, tenant, stage), repeats=3)
        second = median_seconds(lambda: _view(store, tenant, persona), repeats=3)
        recent = Filters(since=datetime(2026, 6, 20, tzinfo=UTC))
        since = median_seconds(lambda: _view(store, tenant, recent), repeats=3)
        waiting = median_seconds(lambda: store.waits(tenant, bin_s=300), repeats=3)
        clustered = median_seconds(lambda: store.cells(tenant, ("question_type", "persona")), repeats=3)
    of = "of 10,000,000 outcomes"
    return [
        Figure(f"metrics page {of}, first view", first, "s", 1.5, note="nine dimensions, a crossing, funnel, trend"),
        Figure("the same after a filter", 1000 * change, "ms", 300),
        Figure("the same after a second filter", 1000 * second, "ms", 300),
        Figure("the same of the last 90 days", 1000 * since, "ms", 300),
        Figure(f"time to reply {of}", 1000 * waiting, "ms"),
        Figure(f"a crossing with intervals by conversation {of}", 1000 * clustered, "ms"),
    ]


def _view(store: OutcomeStore, tenant: UUID, filters: Filters) -> None:
    store.overview(tenant, by=_SHOWN, crossed=("question_type", "persona"), filters=filters)


def _fill_copy(connection: Any, schema: str) -> None:
    details = []
    for number, (name, type_) in enumerate(DETAILS.items()):
        if type_ in ENUMS and name not in _PLAIN:
            words = ", ".join(map(repr, ENUMS[type_]))
            details.append(f"([{words}][1 + ((h >> {3 * number}) % {len(ENUMS[type_])})::INTEGER])::main.{type_}")
        else:
            details.append(_PLAIN.get(name, "NULL"))
    names = ", ".join([*RECORDED, *STANDING])
    connection.execute(_MANY.format(t=schema, names=names, details=", ".join(details), rows=_ROWS))
    connection.execute(f"UPDATE {schema}.outcome_facts SET standing = ({STANDING_CODE})::UTINYINT")
    connection.execute(counting(schema, f"{schema}.outcome_facts", "+", "true"))
    connection.execute("CHECKPOINT")


_PLAIN = {
    "interaction_count": "(i % 4)::INTEGER",
    "turn": "(2 * (i % 4))::INTEGER",
    "analyzer": "CASE WHEN h % 20 = 0 THEN 'rules' ELSE 'llm' END",
    "model": "'some/model'",
    "prompt": "'question@' || (i // 2_500_000)",
    "fallback_reason": "CASE WHEN h % 20 = 0 THEN 'timeout'::main.fallback_reason END",
    "propensity": "0.25",
}


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
    with _server() as urls, tempfile.TemporaryDirectory() as home:
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


@contextmanager
def _server() -> Iterator[DatabaseUrls]:
    folder = Path(tempfile.mkdtemp(prefix="qbs-", dir="/tmp"))
    try:
        server = start_embedded(folder / "postgres")
        try:
            upgrade(server.urls.owner)
            yield server.urls
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)

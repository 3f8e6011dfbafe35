"""The Outcomes page over ten million outcomes: its questions to the copy, and the page itself in a fresh process."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from engine.state.tenants import tenant_uuid
from evals.learning.facts import Filters, OutcomeStore
from evals.learning.facts.refreshing import counting
from evals.learning.facts.schema import DETAILS, ENUMS, RECORDED, STANDING, STANDING_CODE
from tests.benchmarks.figure import Figure, median_seconds

TENANT = "firm"
_PROCESSES = 3
_FILTERS = ("stage", "discovery"), ("persona", "ic"), ("channel", "chat")
# As many outcomes as a large firm has in years, all dimensions independent of each other: the most different cells.
_MANY = """
INSERT INTO {t}.outcome_facts ({names})
SELECT md5('' || i)::UUID, NULL, (i // 4)::INTEGER, 'qbs_impact', 'email_engagement', 0.3 + 0.5 * (h % 1000) / 1000,
       asked, asked + INTERVAL 1 DAY, asked, {details}, NULL, 'postgres', 'postgres',
       (['positive', 'positive', 'positive', 'negative', 'negative', 'negative', 'late', 'superseded', 'not_sent',
         'pending'][1 + ((h >> 40) % 10)::INTEGER])::main.status, true,
       CASE WHEN (h >> 40) % 10 < 3 THEN asked + to_seconds(((h >> 20) % 86400)::BIGINT) END, NULL,
       CASE WHEN (h >> 40) % 10 = 8 THEN false WHEN h % 5 > 0 THEN true END, (h >> 13) % 7 = 0, 0,
       (date_diff('day', DATE '1970-01-05', asked::DATE) // 7)::SMALLINT, ((h >> 20) % 86400)::INTEGER
  FROM (SELECT i, hash(i) AS h, TIMESTAMP '2025-07-28' + to_seconds(i * 3.6) AS asked FROM range({rows}) range_(i))
"""
_ROWS = 10_000_000
# What a synchronisation leaves beside them.
_AROUND = (
    (
        "INSERT INTO {t}.conversations SELECT DISTINCT conversation, 'c' || conversation, 'acme', 'ann' "
        "FROM {t}.outcome_facts"
    ),
    "INSERT INTO {t}.looked VALUES ('email_engagement', 'postgres', TIMESTAMP '2027-01-01')",
    "INSERT INTO {t}.derived VALUES (TIMESTAMP '2026-11-20', (SELECT count(*) FROM {t}.cells))",
)
_SHOWN = ("question_type", "target", "delivery", "engagement", "pain_depth", "stage", "persona", "channel", "prompt")


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as home:
        store = OutcomeStore(Path(home) / "outcomes.duckdb")
        store.work(tenant_uuid(TENANT), _fill)
        return [*_queries(store), *_pages(home)]


def _pages(home: str) -> list[Figure]:
    """The whole page, without a browser: each time in a process that has imported Streamlit and nothing of ours."""
    seen = [_seen(home) for _ in range(_PROCESSES)]
    first = statistics.median(own["first"] for own in seen)
    worst = max(statistics.median(own["filters"][n] for own in seen) for n in range(len(_FILTERS)))
    again = statistics.median(own["again"] for own in seen)
    return [
        Figure("Outcomes page of 10,000,000 outcomes, its first view in a fresh process", first, "s", 1.5),
        Figure("the same after a filter, the slowest of three", 1000 * worst, "ms", 300),
        Figure("the same with nothing changed", 1000 * again, "ms", 300),
    ]


def _seen(home: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.outcomes_page"]
    done = subprocess.run(command, env={**os.environ, "QBS_HOME": home}, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _show() -> None:
    """In a process of its own: show the page, filter it, and print the seconds that each took."""
    from streamlit.testing.v1 import AppTest

    def page() -> None:
        from workbench.views import outcomes

        outcomes.page()

    app = AppTest.from_function(page, default_timeout=60)
    app.query_params["tenant"] = TENANT

    def run() -> float:
        began = time.perf_counter()
        app.run()
        assert not app.exception
        assert not app.error
        assert app.metric
        return time.perf_counter() - began

    first, again, filters = run(), run(), []
    for name, value in _FILTERS:
        app.query_params[name] = value
        filters.append(run())
    print(json.dumps({"first": first, "again": again, "filters": filters}))


def _queries(store: OutcomeStore) -> list[Figure]:
    """What the page asks of the copy, at first and when a filter changes."""
    tenant = tenant_uuid(TENANT)
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
        Figure(
            f"questions of the Outcomes page {of}, first view",
            first,
            "s",
            1.5,
            note="nine dimensions, a crossing, funnel, trend",
        ),
        Figure("the same after a filter", 1000 * change, "ms", 300),
        Figure("the same after a second filter", 1000 * second, "ms", 300),
        Figure("the same of the last 90 days", 1000 * since, "ms", 300),
        Figure(f"time to reply {of}", 1000 * waiting, "ms"),
        Figure(f"a crossing with intervals by conversation {of}", 1000 * clustered, "ms"),
    ]


def _view(store: OutcomeStore, tenant: UUID, filters: Filters) -> None:
    store.overview(tenant, by=_SHOWN, crossed=("question_type", "persona"), filters=filters)


def _fill(connection: Any, schema: str) -> None:
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
    for statement in _AROUND:
        connection.execute(statement.format(t=schema))
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


if __name__ == "__main__":
    _show()

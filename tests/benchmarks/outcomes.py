"""Outcomes: windows that have closed, found empty in one statement, and how its time grows with what there is."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

import psycopg

from engine.model.conversation import Speaker, Turn
from engine.model.state import ConversationState
from engine.outcomes import OutcomeDetails, count_outcomes, list_outcomes, outcome_details, resolve_closed
from engine.outcomes.sql import statement
from engine.rules import analyze_by_rules
from engine.state.database import Database, TenantSession
from engine.state.urls import DatabaseUrls
from tests.benchmarks.figure import Figure
from tests.benchmarks.server import embedded

ASKED_EACH = 5  # questions to a contact, so far apart that none takes another's place
DAY = 20_000  # outcomes whose windows close on one day
LINEAR = 1.5  # times; beyond linear there are the logarithm of a sort, and tables that outgrow the cache

_CONTACTS = """
insert into qbs.conversation_states (
    tenant_id, state_id, account_id, contact_id, deal_stage, persona_type, qualification_data, metadata,
    schema_version, interaction_count, confidence_score, escalated, next_actions, version)
select %(tenant)s, md5(%(tenant)s || number)::uuid, 'account', number, 'discovery', 'manager', '{}', '{}',
       1, 1, 0, false, '[]', 1
  from generate_series(1, %(contacts)s) number
    on conflict do nothing
"""
_OUTCOMES = """
insert into qbs.outcomes (
    tenant_id, outcome_id, state_id, idempotency_key, action_type, outcome_type, predicted_confidence,
    recommended_at, closes_at, details, schema_version)
select %(tenant)s, gen_random_uuid(), md5(%(tenant)s || number)::uuid, number || '/' || days, 'qbs_impact',
       'email_engagement', 0.6, asked, asked + interval '24 hours',
       %(details)s, 1
  from generate_series(1, %(contacts)s) number, generate_series(%(first)s, %(last)s) days,
       lateral (select now() - days * interval '25 hours' - number * interval '1 millisecond' as asked)
"""

_BACKEND = statement("select pg_backend_pid() as pid", ("pid",))


class Time(NamedTuple):
    """Seconds on the clock, and of the server's CPU, which other work on the machine changes little."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Taken:
    """With so many outcomes of one tenant: to resolve them all, then a day's, to count them, to list 50."""

    outcomes: int
    all_: Time
    day: Time
    count: Time
    list_: Time


def measure() -> list[Figure]:
    with embedded() as urls:
        few, quarter, whole = (asyncio.run(_taken(urls, total)) for total in (100_000, 250_000, 1_000_000))
    growth = (whole.all_.cpu_s / whole.outcomes) / (quarter.all_.cpu_s / quarter.outcomes)
    growth_day = (whole.day.cpu_s / whole.outcomes) / (quarter.day.cpu_s / quarter.outcomes)
    return [
        Figure("100,000 closed windows, resolved in one statement", few.all_.wall_s, "s", note=_cpu(few.all_)),
        Figure("1,000,000 closed windows, resolved in one statement", whole.all_.wall_s, "s", note=_cpu(whole.all_)),
        Figure("the same, CPU per outcome against 250,000", growth, "times", LINEAR, note="1: linear"),
        Figure("a day's 20,000 windows among 250,000 outcomes", quarter.day.wall_s, "s", note=_cpu(quarter.day)),
        Figure("a day's 20,000 windows among 1,000,000 outcomes", whole.day.wall_s, "s", note=_cpu(whole.day)),
        Figure("the same, CPU per outcome there is", growth_day, "times", LINEAR, note="1: linear"),
        Figure("1,000,000 outcomes counted by status", whole.count.wall_s, "s"),
        Figure("the newest 50 of 1,000,000, with their status", 1000 * whole.list_.wall_s, "ms"),
    ]


def _cpu(taken: Time) -> str:
    return f"{taken.cpu_s:.1f} s CPU"


async def _taken(urls: DatabaseUrls, total: int) -> Taken:
    """Measured with a tenant of its own, over tables that hold the other tenants' rows as well."""
    tenant, contacts, day = uuid4(), total // ASKED_EACH, DAY // ASKED_EACH
    _fill(urls, tenant, contacts, days=(2, 1 + ASKED_EACH))
    database = Database(urls.app, timeout_s=1800)
    try:

        async def timed(work: Callable[[TenantSession], Awaitable[object]], expected: int | None = None) -> Time:
            async with database.tenant(tenant).begin() as session:
                ((backend,),) = await session.send(_BACKEND())
                wall, cpu = time.perf_counter(), _cpu_seconds(backend["pid"])
                result = await work(session)
                taken = Time(time.perf_counter() - wall, _cpu_seconds(backend["pid"]) - cpu)
            assert expected in (None, result)
            return taken

        everything = await timed(resolve_closed, expected=total)
        _fill(urls, tenant, day, days=(2 + ASKED_EACH, 1 + 2 * ASKED_EACH))
        return Taken(
            outcomes=total,
            all_=everything,
            day=await timed(resolve_closed, expected=DAY),
            count=await timed(count_outcomes),
            list_=min([await timed(list_outcomes) for _ in range(5)]),
        )
    finally:
        await database.aclose()


def _cpu_seconds(pid: int) -> float:
    """What a process has used, user and system, as Linux tells it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _fill(urls: DatabaseUrls, tenant: UUID, contacts: int, days: tuple[int, int]) -> None:
    """A question a day to each contact, all of whose windows have closed. Quickly: nobody checks what points where."""
    values = {
        "tenant": str(tenant),
        "contacts": contacts,
        "first": days[0],
        "last": days[1],
        "details": _details().model_dump_json(),
    }
    with psycopg.connect(urls.maintenance, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(_CONTACTS, values)
        connection.execute(_OUTCOMES, values)
        connection.execute("vacuum (analyze) qbs.outcomes")
        connection.execute("vacuum (analyze) qbs.outcome_events")


def _details() -> OutcomeDetails:
    state = ConversationState(state_id="s", tenant_id="t", account_id="a", contact_id="c")
    turn = Turn(index=3, speaker=Speaker.CUSTOMER, text="It takes two days a week.")
    return outcome_details(state, turn, analyze_by_rules(state, turn, ()))

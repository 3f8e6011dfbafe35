"""The copy of outcomes beside Postgres: everything once, and each outcome standing where Postgres says."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from engine.errors import InputError
from engine.outcomes import EventKind, OutcomeTracker, OutcomeType, list_outcomes, outcome_events, resolve_closed
from engine.outcomes.bulk import server_clock
from evals.learning.facts import Filters, OutcomeStore
from evals.learning.facts.following import marks_of
from evals.learning.importing import Mapping, import_outcomes
from evals.learning.sync import sync
from tests.integration.children import Children
from tests.integration.outcome_values import ago, asked, contact, reply

ZONES = (timezone(timedelta(hours=-11)), UTC, timezone(timedelta(hours=5, minutes=45)), timezone(timedelta(hours=14)))
BOTH = tuple(OutcomeType)


@pytest.fixture
def store(tmp_path: Path) -> OutcomeStore:
    return OutcomeStore(tmp_path / "outcomes.duckdb")


async def standing_in_postgres(database, tenant) -> dict[str, tuple]:
    async with database.tenant(tenant).begin() as session:
        page = await list_outcomes(session, limit=10_000)
    return {
        str(each.outcome.outcome_id): (
            str(each.status),
            each.happened_at,
            each.sent,
            each.contact_id,
            each.outcome.predicted_confidence,
            each.outcome.recommended_at,
            str(each.outcome.details.target),
        )
        for each in page.outcomes
    }


def standing_in_copy(store, tenant, as_of=None) -> dict[str, tuple]:
    def moment(text):
        return None if text is None else datetime.fromisoformat(text)

    return {
        row["outcome_id"]: (
            row["status"],
            moment(row["happened_at"]),
            row["sent"],
            row["contact"],
            row["confidence"],
            moment(row["recommended_at"]),
            row["target"],
        )
        for outcome_type in BOTH
        for row in store.facts(tenant, outcome_type=outcome_type, as_of=as_of).rows()
    }


async def synced(database, store, tenant, batch: int = 50_000):
    """Once nobody else's transaction on this server is older than what was just written."""
    brought = await sync(database, store, tenant, batch=batch)
    async with database.tenant(tenant).begin() as session:
        written = len((await list_outcomes(session, limit=10_000)).outcomes)
    for _ in range(200):
        if len(standing_in_copy(store, tenant)) >= written:
            break
        await asyncio.sleep(0.05)
        await sync(database, store, tenant, batch=batch)
    return brought


async def happen(database, tenant, chance: random.Random, contacts: int, steps: int) -> None:
    """A random history: questions, replies in and after time, reports of sending, corrections, in any order."""
    outcomes, states = [], []
    for number in range(contacts):
        async with database.tenant(tenant).begin() as session:
            states.append(await contact(session, f"contact-{number}"))
    for step in range(steps):
        state, zone = chance.choice(states), chance.choice(ZONES)
        moment = ago(chance.uniform(0.1, 120), seconds=chance.random()).astimezone(zone)
        async with database.tenant(tenant).begin() as session:
            tracker = OutcomeTracker(session)
            match chance.choice(("ask", "ask", "ask", "reply", "reply", "sent", "not sent", "resolve", "correct")):
                case "ask":
                    outcomes.append(await asked(session, state, moment, types=BOTH, confidence=chance.random()))
                case "reply":
                    await tracker.record_reply(state.state_id, at=moment, key=f"reply-{step}")
                case "sent" if outcomes:
                    await tracker.record_sent(chance.choice(outcomes).outcome_id, at=moment, key=f"sent-{step}")
                case "not sent" if outcomes:
                    await tracker.record_not_sent(chance.choice(outcomes).outcome_id, at=moment, key=f"not-{step}")
                case "resolve":
                    await resolve_closed(session, ago(chance.uniform(0, 100)))
                case "correct" if outcomes:
                    await correct(session, tracker, chance, outcomes)


async def correct(session, tracker: OutcomeTracker, chance: random.Random, outcomes) -> None:
    kinds = (EventKind.POSITIVE, EventKind.NEGATIVE, EventKind.LATE)
    events = await outcome_events(session, chance.choice(outcomes).outcome_id)
    superseded = {event.supersedes for event in events}
    open_ = [event for event in events if event.kind in kinds and event.event_id not in superseded]
    if open_:
        await tracker.correct(chance.choice(open_).event_id, chance.choice(kinds), "looked again")


@pytest.mark.parametrize("seed", range(2))
async def test_after_any_history_each_outcome_stands_where_postgres_says(database, tenant, store, seed):
    chance = random.Random(seed)
    for _ in range(3):  # what came before is in the copy already when more happens to the same outcomes
        await happen(database, tenant, chance, contacts=6, steps=35)
        await synced(database, store, tenant, batch=chance.choice((1, 7, 50_000)))
        assert standing_in_copy(store, tenant) == await standing_in_postgres(database, tenant)
    assert len({status for status, *_ in standing_in_copy(store, tenant).values()}) >= 5


async def test_counts_by_crossing_are_those_of_the_single_facts(database, tenant, store):
    await happen(database, tenant, random.Random(9), contacts=8, steps=60)
    await synced(database, store, tenant)
    await happen(database, tenant, random.Random(10), contacts=8, steps=40)
    await synced(database, store, tenant)
    facts = store.facts(tenant)
    statuses = facts.words("status").words()
    for by in ((), ("question_type",), ("question_type", "persona", "stage")):
        cells = store.cells(tenant, by)
        assert sum(cell.outcomes for cell in cells) == len(facts)
        assert sum(cell.resolved for cell in cells) == facts.resolved.sum()
        assert sum(cell.positive for cell in cells) == (facts.positive & facts.resolved).sum()
        assert sum(cell.pending for cell in cells) == statuses.count("pending")
        assert sum(cell.superseded for cell in cells) == statuses.count("superseded")
        assert sum(cell.not_sent for cell in cells) == statuses.count("not_sent")
    by_week = store.weeks(tenant)
    assert sum(week.cell.resolved for week in by_week) == facts.resolved.sum()


@pytest.mark.parametrize("told", [True, False], ids=["as told", "of an older program"])
async def test_the_span_that_counts_ends_where_somebody_stopped_looking_and_not_at_a_silence(
    database, tenant, store, told
):
    """A span that ends at its newest silence leaves out every answer after it: too low a rate."""
    for number in range(5):  # the newest four answer, the oldest does not
        async with database.tenant(tenant).begin() as session:
            state = await contact(session, f"contact-{number}")
            await asked(session, state, ago(60 - number))
        if number:
            await reply(database, tenant, state, ago(59 - number), key=f"reply-{number}")
    async with database.tenant(tenant).begin() as session:
        fresh = await contact(session, "fresh")
        await asked(session, fresh, ago(3))
    await reply(database, tenant, fresh, ago(2), key="fresh")
    async with database.tenant(tenant).begin() as session:
        assert await resolve_closed(session, ago(24)) == 1
    await synced(database, store, tenant)
    if not told:
        store.work(tenant, _forget_where_was_looked)
        store.refresh(tenant)
    (cell,) = store.cells(tenant)
    facts = store.facts(tenant)
    assert (cell.resolved, cell.positive, cell.early) == ((5, 4, 1) if told else (1, 0, 5))
    assert (facts.resolved.sum(), (facts.positive & facts.resolved).sum()) == (cell.resolved, cell.positive)
    if told:
        assert facts.resolved_until == ago(24) - timedelta(microseconds=1)
        assert store.facts(tenant, as_of=datetime.now(UTC)).resolved.sum() == 5


def _forget_where_was_looked(connection, schema) -> None:
    connection.execute(f"UPDATE {schema}.events SET looked_before = NULL")
    connection.execute(f"DELETE FROM {schema}.looked")
    connection.execute(f"INSERT INTO {schema}.stale SELECT key FROM {schema}.conversations")


async def test_what_an_import_looked_at_settles_nothing_of_postgres(database, tenant, store, tmp_path):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
        await asked(session, state, ago(50))
    await reply(database, tenant, state, ago(49))
    await synced(database, store, tenant)
    file = tmp_path / "crm.csv"
    file.write_text(f"conversation,recommended_at,replied_at,question_type\nc1,{ago(48).isoformat()},,impact\n")
    import_outcomes(store, tenant, file, Mapping({}), now=ago(1))
    by_origin = {cell.key[0]: cell for cell in store.cells(tenant, ("origin",))}
    assert (by_origin["import"].resolved, by_origin["postgres"].resolved) == (1, 0)
    facts = store.facts(tenant)
    assert (facts.resolved & facts.positive).sum() == 0
    assert facts.resolved.sum() == 1
    assert store.facts(tenant, as_of=datetime.now(UTC)).resolved.sum() == 1


async def test_what_was_known_at_an_earlier_moment_is_known_again(database, tenant, store):
    moments, known = [], []
    chance = random.Random(4)
    for _ in range(3):
        await happen(database, tenant, chance, contacts=4, steps=25)
        await asyncio.sleep(0.002)
        async with database.tenant(tenant).begin() as session:
            moments.append(await server_clock(session))
        known.append(await standing_in_postgres(database, tenant))
    await synced(database, store, tenant)
    for moment, then in zip(moments, known, strict=True):
        assert standing_in_copy(store, tenant, as_of=moment) == then
        assert standing_in_copy(store, tenant, as_of=moment) == then


async def test_a_reply_that_is_told_late_and_a_correction_change_what_was_copied(database, tenant, store):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
        outcome = await asked(session, state, ago(50))
        await resolve_closed(session)
    await synced(database, store, tenant)
    own = str(outcome.outcome_id)
    assert standing_in_copy(store, tenant)[own][0] == "negative"
    answered = await reply(database, tenant, state, ago(49))
    await sync(database, store, tenant)
    assert standing_in_copy(store, tenant)[own][:2] == ("positive", ago(49))
    async with database.tenant(tenant).begin() as session:
        await OutcomeTracker(session).correct(answered.event_id, EventKind.NEGATIVE, "an automatic answer")
    await sync(database, store, tenant)
    assert standing_in_copy(store, tenant)[own][0] == "negative"
    assert (await sync(database, store, tenant)).events == 0


async def test_two_tenants_with_the_same_ids_share_nothing(database, store, postgres):
    one, other = uuid4(), uuid4()
    async with database.tenant(one).begin() as session:
        mine = await asked(session, await contact(session, "ann"), ago(40), confidence=0.9)
    with psycopg.connect(postgres.urls.maintenance) as connection:
        columns = (
            "idempotency_key, action_type, outcome_type, 0.1, recommended_at, closes_at, recorded_at, details, "
            "schema_version"
        )
        connection.execute(
            "insert into qbs.conversation_states (tenant_id, state_id, account_id, contact_id, deal_stage, "
            "persona_type, qualification_data, metadata, schema_version, interaction_count, confidence_score, "
            "escalated, next_actions, version) select %s, state_id, 'other', 'bob', deal_stage, persona_type, "
            "qualification_data, metadata, schema_version, interaction_count, confidence_score, escalated, "
            "next_actions, version from qbs.conversation_states where tenant_id = %s",
            [other, one],
        )
        connection.execute(
            "insert into qbs.outcomes (tenant_id, outcome_id, state_id, idempotency_key, action_type, outcome_type, "
            "predicted_confidence, recommended_at, closes_at, recorded_at, details, schema_version) "
            f"select %s, outcome_id, state_id, {columns} from qbs.outcomes where tenant_id = %s".encode(),
            [other, one],
        )
    async with database.tenant(one).begin() as session:
        await resolve_closed(session)
    await synced(database, store, one)
    await synced(database, store, other)
    (own,), (theirs,) = standing_in_copy(store, one).items(), standing_in_copy(store, other).items()
    assert own[0] == theirs[0] == str(mine.outcome_id)
    assert (own[1][0], own[1][3], own[1][4]) == ("negative", "ann", 0.9)
    assert (theirs[1][0], theirs[1][3], theirs[1][4]) == ("pending", "bob", 0.1)
    assert store.cells(one)[0].resolved == 1
    assert store.cells(other)[0].resolved == 0
    assert len(store.facts(other, filters=Filters({"contact": ["ann"]}))) == 0
    store.forget(one)
    assert len(store.facts(other)) == 1


async def test_names_may_hold_whatever_text_holds(database, tenant, store):
    async with database.tenant(tenant).begin() as session:
        await asked(session, await contact(session, "a\x1fb\x1ec\n\t\"d\\e'"), ago(3))
        await asked(session, await contact(session, "Ωλ 🙂"), ago(2))
    await synced(database, store, tenant)
    assert store.facts(tenant).words("contact").words() == ["a\ufffdb\ufffdc\n\t\"d\\e'", "Ωλ 🙂"]


async def test_two_that_synchronise_at_once_lose_and_repeat_nothing(database, tenant, store):
    await happen(database, tenant, random.Random(5), contacts=6, steps=60)
    await asyncio.gather(*(sync(database, store, tenant, batch=3) for _ in range(3)))
    await synced(database, store, tenant)
    assert standing_in_copy(store, tenant) == await standing_in_postgres(database, tenant)


async def test_another_life_of_the_server_is_read_anew_and_nothing_of_the_former_stays(
    database, tenant, store, postgres
):
    async with database.tenant(tenant).begin() as session:
        state = await contact(session)
        await asked(session, state, ago(30))
        lost = await asked(session, state, ago(60))
    await synced(database, store, tenant)
    assert len(standing_in_copy(store, tenant)) == 2
    with psycopg.connect(postgres.urls.maintenance) as connection:
        connection.execute("delete from qbs.outcomes where outcome_id = %s", [lost.outcome_id])
    store.work(tenant, lambda connection, schema: connection.execute(f"UPDATE {schema}.marks SET server = 'former'"))
    await sync(database, store, tenant)
    assert standing_in_copy(store, tenant) == await standing_in_postgres(database, tenant)
    assert len(standing_in_copy(store, tenant)) == 1
    assert sum(cell.outcomes for cell in store.cells(tenant)) == 1


async def test_another_life_of_the_server_in_which_nothing_ever_happened_leaves_nothing(
    database, tenant, store, postgres
):
    async with database.tenant(tenant).begin() as session:
        lost = await asked(session, await contact(session), ago(30))
    await synced(database, store, tenant)
    with psycopg.connect(postgres.urls.maintenance) as connection:
        connection.execute("delete from qbs.outcomes where outcome_id = %s", [lost.outcome_id])
    store.work(tenant, lambda connection, schema: connection.execute(f"UPDATE {schema}.marks SET server = 'former'"))
    await sync(database, store, tenant)
    assert standing_in_copy(store, tenant) == {}
    assert store.cells(tenant) == []
    assert (await sync(database, store, tenant)).outcomes == 0


async def test_killed_at_any_moment_it_goes_on_without_loss_or_doubles(database, tenant, store, postgres):
    await happen(database, tenant, random.Random(6), contacts=10, steps=150)
    chance, task = random.Random(60), {"url": postgres.urls.app, "path": str(store.path), "tenant": str(tenant)}
    done, kills = False, 0
    with Children("duckdb", "pyarrow", "engine.state.database", "evals.learning.sync") as children:
        while not done and kills < 25:
            pid = children.start("sync", batch=4, **task)
            await asyncio.sleep(chance.uniform(0.02, 0.5))
            os.kill(pid, signal.SIGKILL)
            done, kills = children.end()["signal"] == 0, kills + 1
    assert kills >= 5
    await synced(database, store, tenant)
    assert standing_in_copy(store, tenant) == await standing_in_postgres(database, tenant)
    raw = store.work(tenant, _raw_counts)
    with psycopg.connect(postgres.urls.maintenance) as connection:
        for table, count in raw.items():
            query = f"select count(*) from qbs.{table} where tenant_id = %s"
            assert connection.execute(query.encode(), [tenant]).fetchone() == (count,)


async def test_a_damaged_copy_is_made_anew(database, tenant, store):
    await happen(database, tenant, random.Random(7), contacts=4, steps=30)
    await synced(database, store, tenant)
    store.path.write_bytes(b"\0" * 100_000)
    assert len(store.facts(tenant)) == 0
    await synced(database, store, tenant)
    assert standing_in_copy(store, tenant) == await standing_in_postgres(database, tenant)
    assert store.work(tenant, marks_of).outcomes is not None


async def test_questions_about_dimensions_that_there_are_none_of_are_refused(store, tenant):
    for wrong in (lambda: store.cells(tenant, ("colour",)), lambda: Filters({"stage": ["nowhere"]})):
        with pytest.raises(InputError, match=r"colour|nowhere"):
            wrong()


def _raw_counts(connection, schema) -> dict[str, int]:
    return {
        copied: connection.execute(f"SELECT count(*) FROM {schema}.{table}").fetchall()[0][0]
        for table, copied in (("outcomes", "outcomes"), ("events", "outcome_events"))
    }

"""The conversation states of one tenant's contacts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from engine.errors import (
    InputError,
    InvalidStageTransitionError,
    SchemaVersionError,
    StaleStateError,
    StateError,
    StateNotFoundError,
)
from engine.model.conversation import Channel, DealStage, Persona
from engine.model.qualification import Dimension, Evidence, QualificationState, Signal, qualification_from
from engine.model.state import ConversationState
from engine.stages import VALID_TRANSITIONS, is_valid_transition
from engine.state.database import Database, TenantSession
from engine.state.embedded import EmbeddedServer
from engine.state.listing import list_statement
from engine.state.repository import ConversationStateRepository, Cursor, Page, SavedState, StageMove, state_id_of
from engine.state.tenants import tenant_uuid

ACCOUNT, CONTACT = "Northwind", "ada@northwind.example"
STAGES = list(DealStage)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def a_state(tenant: UUID, contact: str = CONTACT, **fields: Any) -> ConversationState:
    ids = {"state_id": "", "tenant_id": str(tenant), "account_id": ACCOUNT, "contact_id": contact}
    return ConversationState.model_validate({**ids, **fields})


def found(value: str, confidence: float = 0.6, turn: int = 1) -> QualificationState:
    signal = Signal(value=value, confidence=confidence, evidence=(Evidence(quote=value, turn=turn),))
    return qualification_from({Dimension.NEED: signal})


@pytest.fixture
async def session(database: Database, tenant: UUID) -> AsyncIterator[TenantSession]:
    async with database.tenant(tenant).begin() as session:
        yield session


@pytest.fixture
def repository(session: TenantSession) -> ConversationStateRepository:
    return ConversationStateRepository(session)


async def in_transaction(database: Database, tenant: UUID, *, save: ConversationState) -> SavedState:
    async with database.tenant(tenant).begin() as session:
        return await ConversationStateRepository(session).save(save, version=None)


async def read(database: Database, tenant: UUID, contact: str = CONTACT) -> SavedState:
    async with database.tenant(tenant).begin() as session:
        kept = await ConversationStateRepository(session).get(ACCOUNT, contact)
        assert kept is not None
        return kept


FULL = {
    "contact_email": CONTACT,
    "contact_name": "Ada Lövelace \U0001f600",
    "deal_stage": "evaluation",
    "persona_type": "c_suite",
    "qualification": found("orders are typed in twice"),
    "interaction_count": 7,
    "last_interaction": NOON,
    "last_channel": "email",
    "confidence_score": 0.1 + 0.2,
    "escalated": True,
    "next_actions": ("Ask: what would change?", "Call"),
    "created_at": NOON - timedelta(days=3),
    "metadata": {"qbs": {"asked": ["00ff"]}, "n": 1e-7, "deep": {"a": [1, None, {"b": True}]}, "\\u0000": "\\u0000"},
}


@pytest.mark.parametrize("fields", [{}, FULL], ids=["as little as possible", "everything"])
async def test_a_state_comes_back_as_it_was_saved(database: Database, tenant: UUID, fields: dict[str, Any]) -> None:
    saved = await in_transaction(database, tenant, save=a_state(tenant, **fields))
    assert await read(database, tenant) == saved
    state_id = str(state_id_of(tenant, ACCOUNT, CONTACT))
    made = saved.state.created_at
    assert saved.state == a_state(tenant, **{"created_at": made, **fields}).model_copy(update={"state_id": state_id})
    assert (saved.version, saved.cleaned) == (1, 0)


async def test_a_state_comes_back_as_it_was_saved_again(database: Database, tenant: UUID) -> None:
    first = await in_transaction(database, tenant, save=a_state(tenant))
    async with database.tenant(tenant).begin() as session:
        changed = a_state(tenant, **{**FULL, "deal_stage": "discovery"})
        second = await ConversationStateRepository(session).save(changed, version=1)
    assert await read(database, tenant) == second
    assert (second.version, second.state.created_at) == (2, first.state.created_at)
    assert second.updated_at > first.updated_at


names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(
    metadata=st.dictionaries(names, names | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9)), said=names, name=names
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_a_state_says_comes_back(
    postgres: EmbeddedServer, metadata: dict[str, Any], said: str, name: str
) -> None:
    database, tenant = Database(postgres.urls.app, pool_size=1), uuid4()
    state = a_state(tenant, metadata=metadata, qualification=found(said), contact_name=name)
    saved = await in_transaction(database, tenant, save=state)
    assert (await read(database, tenant)).state == saved.state
    assert (saved.state.metadata, saved.state.qualification) == (state.metadata, state.qualification)
    await database.aclose()


async def test_nobody_is_kept_who_was_not_saved(repository: ConversationStateRepository) -> None:
    assert await repository.get(ACCOUNT, CONTACT) is None
    assert await repository.stage_history(ACCOUNT, CONTACT) == ()


def test_the_id_of_a_state_depends_on_tenant_account_and_contact_alone() -> None:
    ids = {state_id_of(tenant_uuid(t), a, c) for t in ("x", "y") for a in ("a", "ab") for c in ("c", "bc", "1:c")}
    assert len(ids) == 12
    assert state_id_of(tenant_uuid("x"), "a", "c") == UUID("fea12dd6-2c1d-53b3-b50a-300dba10e3a8")


async def test_what_postgres_cannot_hold_is_left_out_of_documents_and_counted(database: Database, tenant: UUID) -> None:
    state = a_state(tenant, metadata={"a\0": "b\ud83d"}, qualification=found("c\0d"), next_actions=("\0go",))
    saved = await in_transaction(database, tenant, save=state)
    assert saved.cleaned == 5
    assert saved.state.metadata == {"a": "b\ufffd"}
    assert saved.state.qualification == found("cd")
    assert (await read(database, tenant)).state == saved.state


@pytest.mark.parametrize("bad", ["N\0N", "\ud800"])
@pytest.mark.parametrize("field", ["contact_id", "account_id", "contact_name", "contact_email"])
async def test_names_that_postgres_cannot_hold_are_refused(
    repository: ConversationStateRepository, tenant: UUID, field: str, bad: str
) -> None:
    state = a_state(tenant).model_copy(update={field: bad})
    with pytest.raises(InputError, match=field):
        await repository.save(state, version=None)


async def test_a_state_of_another_tenant_is_refused(repository: ConversationStateRepository) -> None:
    with pytest.raises(InputError, match="belongs to another tenant"):
        await repository.save(a_state(uuid4()), version=None)


async def test_a_tenant_may_be_called_by_its_name(database: Database) -> None:
    name = f"tenant {uuid4()}"
    state = a_state(uuid4()).model_copy(update={"tenant_id": name})
    async with database.tenant(name.upper()).begin() as session:
        saved = await ConversationStateRepository(session).save(state, version=None)
    assert saved.state.tenant_id == str(tenant_uuid(name))


class TestVersions:
    """A save names the version that it changes."""

    async def test_of_two_new_states_of_a_contact_one_is_kept(self, database: Database, tenant: UUID) -> None:
        await in_transaction(database, tenant, save=a_state(tenant))
        with pytest.raises(StaleStateError, match="has a state already"):
            await in_transaction(database, tenant, save=a_state(tenant, escalated=True))
        assert not (await read(database, tenant)).state.escalated

    @pytest.mark.parametrize("version", [0, 2, 99])
    @pytest.mark.parametrize("known", [None, "read", "locked"])
    async def test_another_version_than_the_stored_one_is_stale(
        self, repository: ConversationStateRepository, tenant: UUID, version: int, known: str | None
    ) -> None:
        await repository.save(a_state(tenant), version=None)
        if known:
            await repository.get(ACCOUNT, CONTACT, lock=known == "locked")
        with pytest.raises(StaleStateError, match="read it again"):
            await repository.save(a_state(tenant), version=version)

    async def test_of_two_that_read_without_a_lock_the_second_is_stale(self, database: Database, tenant: UUID) -> None:
        await in_transaction(database, tenant, save=a_state(tenant))

        async def second() -> None:
            async with database.tenant(tenant).begin() as session:
                repository = ConversationStateRepository(session)
                mine = await repository.get(ACCOUNT, CONTACT)
                assert mine is not None
                async with database.tenant(tenant).begin() as other:
                    await ConversationStateRepository(other).save(a_state(tenant, escalated=True), version=1)
                await repository.save(mine.state, version=mine.version)

        with pytest.raises(StaleStateError, match="read it again"):
            await second()
        assert (await read(database, tenant)).state.escalated

    async def test_several_saves_in_one_transaction_count_one_by_one(self, database: Database, tenant: UUID) -> None:
        async with database.tenant(tenant).begin() as session:
            repository = ConversationStateRepository(session)
            saved = await repository.save(a_state(tenant), version=None)
            for count in range(1, 4):
                changed = saved.state.model_copy(update={"interaction_count": count})
                saved = await ConversationStateRepository(session).save(changed, version=saved.version)
                assert await repository.get(ACCOUNT, CONTACT) == saved
        assert await read(database, tenant) == saved
        assert saved.version == 4

    async def test_a_version_of_nobody_is_not_found(
        self, repository: ConversationStateRepository, tenant: UUID
    ) -> None:
        with pytest.raises(StateNotFoundError):
            await repository.save(a_state(tenant), version=1)


class TestStages:
    """No stage is skipped, and nothing leaves a closed deal."""

    @pytest.mark.parametrize("before", STAGES)
    async def test_every_save_keeps_the_rules(self, database: Database, tenant: UUID, before: DealStage) -> None:
        for to in STAGES:
            contact = f"to {to}"
            await in_transaction(database, tenant, save=a_state(tenant, contact, deal_stage=before))

            async def move(contact: str = contact, to: DealStage = to) -> None:
                async with database.tenant(tenant).begin() as session:
                    state = a_state(tenant, contact, deal_stage=to, escalated=True)
                    await ConversationStateRepository(session).save(state, version=1)

            if is_valid_transition(before, to):
                await move()
            else:
                with pytest.raises(InvalidStageTransitionError) as caught:
                    await move()
                assert (caught.value.current, caught.value.requested) == (before, to)
                assert caught.value.allowed == VALID_TRANSITIONS[before]
            kept = (await read(database, tenant, contact)).state
            allowed = is_valid_transition(before, to)
            assert (kept.deal_stage, kept.escalated) == ((to, True) if allowed else (before, False))

    async def test_moves_are_recorded_in_their_order(
        self, repository: ConversationStateRepository, tenant: UUID
    ) -> None:
        saved = await repository.save(a_state(tenant), version=None)
        await repository.change_stage(ACCOUNT, CONTACT, DealStage.DISCOVERY, by="eve", reason="first call", at=NOON)
        stays = await repository.change_stage(ACCOUNT, CONTACT, DealStage.DISCOVERY, by="eve")
        moved = stays.state.model_copy(update={"deal_stage": DealStage.STALLED})
        await repository.save(moved, version=stays.version)
        last = await repository.change_stage(ACCOUNT, CONTACT, DealStage.EVALUATION)
        history = await repository.stage_history(ACCOUNT, CONTACT)
        assert [(move.before, move.to) for move in history] == [
            (DealStage.PROSPECTING, DealStage.DISCOVERY),
            (DealStage.DISCOVERY, DealStage.STALLED),
            (DealStage.STALLED, DealStage.EVALUATION),
        ]
        assert history[0] == StageMove(DealStage.PROSPECTING, DealStage.DISCOVERY, NOON, "eve", "first call")
        assert history[1].at < history[2].at
        assert (saved.version, stays.version, last.version) == (1, 2, 4)

    async def test_a_move_that_is_not_allowed_is_not_recorded(self, database: Database, tenant: UUID) -> None:
        await in_transaction(database, tenant, save=a_state(tenant, deal_stage="closed_won"))
        async with database.tenant(tenant).begin() as session:
            repository = ConversationStateRepository(session)
            with pytest.raises(InvalidStageTransitionError, match="this stage is final"):
                await repository.change_stage(ACCOUNT, CONTACT, DealStage.DISCOVERY)
            assert await repository.stage_history(ACCOUNT, CONTACT) == ()
        assert (await read(database, tenant)).version == 1

    @pytest.mark.parametrize("what", [{"at": NOON.replace(tzinfo=None)}, {"by": "e\0ve"}, {"reason": "\ud83d"}])
    async def test_a_move_that_cannot_be_recorded_is_not_made(
        self, database: Database, tenant: UUID, what: dict[str, Any]
    ) -> None:
        await in_transaction(database, tenant, save=a_state(tenant))
        async with database.tenant(tenant).begin() as session:
            repository = ConversationStateRepository(session)
            with pytest.raises(InputError):
                await repository.change_stage(ACCOUNT, CONTACT, DealStage.DISCOVERY, **what)
        kept = await read(database, tenant)
        assert (kept.version, kept.state.deal_stage) == (1, DealStage.PROSPECTING)

    async def test_a_contact_without_a_state_has_no_stage(self, repository: ConversationStateRepository) -> None:
        with pytest.raises(StateNotFoundError, match="no state is kept"):
            await repository.change_stage(ACCOUNT, CONTACT, DealStage.DISCOVERY)


class TestMerging:
    """Two workers on one contact both count."""

    async def test_what_was_found_is_merged_into_what_was_known(
        self, repository: ConversationStateRepository, tenant: UUID
    ) -> None:
        await repository.save(a_state(tenant, qualification=found("more orders", 0.5)), version=None)
        merged = await repository.update_qualification(ACCOUNT, CONTACT, found("fewer errors", 0.8, turn=3))
        need = merged.state.qualification.signal(Dimension.NEED)
        assert (need.value, [e.quote for e in need.evidence]) == ("fewer errors", ["more orders", "fewer errors"])
        assert merged.state.confidence_score == merged.state.qualification.overall_confidence == 0.08
        assert await repository.update_qualification(ACCOUNT, CONTACT, found("fewer errors", 0.8, turn=3)) == merged

    async def test_nobody_to_merge_into_is_not_found(self, repository: ConversationStateRepository) -> None:
        with pytest.raises(StateNotFoundError):
            await repository.update_qualification(ACCOUNT, CONTACT, found("x"))

    async def test_sixteen_workers_lose_nothing(self, database: Database, tenant: UUID) -> None:
        await in_transaction(database, tenant, save=a_state(tenant))

        async def worker(name: int) -> None:
            for number in range(100):
                async with database.tenant(tenant).begin() as session:
                    one = QualificationState(key_insights=(f"insight {name} {number}",))
                    await ConversationStateRepository(session).update_qualification(ACCOUNT, CONTACT, one)

        await asyncio.gather(*(worker(name) for name in range(16)))
        kept = await read(database, tenant)
        everything = {f"insight {name} {number}" for name in range(16) for number in range(100)}
        assert (set(kept.state.qualification.key_insights), kept.version) == (everything, 1_601)


class TestOlderAndBrokenDocuments:
    """What is in the database was not always written by this program."""

    async def change(self, server: EmbeddedServer, tenant: UUID, what: str) -> None:
        with psycopg.connect(server.urls.maintenance) as administrator:
            changed = administrator.execute(f"update qbs.conversation_states set {what} where tenant_id = %s", [tenant])
            assert changed.rowcount == 1

    async def test_a_newer_version_says_what_to_do(
        self, database: Database, postgres: EmbeddedServer, tenant: UUID
    ) -> None:
        await in_transaction(database, tenant, save=a_state(tenant))
        await self.change(postgres, tenant, "schema_version = 99")
        with pytest.raises(SchemaVersionError, match=f"tenant {tenant}, state .*version 99.*use the newer version"):
            await read(database, tenant)

    @pytest.mark.parametrize(
        ("what", "says"),
        [
            (
                """qualification_data = '{"bant": {"budget": {"confidence": "secret"}}}'""",
                r"qualification_data\.bant\.budget\.confidence",
            ),
            ("""metadata = '["secret"]'""", "metadata cannot be read"),
            ("""next_actions = '[{"secret": 1}]'""", r"next_actions\.0"),
        ],
    )
    async def test_a_broken_document_says_whose_and_which_field(
        self, database: Database, postgres: EmbeddedServer, tenant: UUID, what: str, says: str
    ) -> None:
        await in_transaction(database, tenant, save=a_state(tenant))
        await self.change(postgres, tenant, what)
        state_id = state_id_of(tenant, ACCOUNT, CONTACT)
        with pytest.raises(StateError, match=f"^tenant {tenant}, state {state_id}: {says}") as caught:
            await read(database, tenant)
        assert "secret" not in str(caught.value)


class TestListing:
    """Pages of states, the last updated first."""

    async def contacts(self, database: Database, tenant: UUID, **filters: Any) -> list[str]:
        async with database.tenant(tenant).begin() as session:
            page = await ConversationStateRepository(session).list(**filters)
        return [saved.state.contact_id for saved in page.states]

    @pytest.fixture
    async def some(self, database: Database, tenant: UUID) -> list[SavedState]:
        """Five contacts of two accounts, saved one after the other."""
        rows: list[dict[str, Any]] = [
            {"contact": "ada", "deal_stage": "discovery", "contact_name": "Ada 100%"},
            {
                "contact": "bob",
                "deal_stage": "discovery",
                "persona_type": Persona.IC,
                "contact_email": "bob_b@x.example",
            },
            {"contact": "cleo", "deal_stage": "stalled", "account_id": "Other"},
            {"contact": "dan", "persona_type": Persona.IC, "contact_name": "Dan Bobson"},
            {"contact": "eve", "deal_stage": "discovery", "last_channel": Channel.CALL},
        ]
        return [await in_transaction(database, tenant, save=a_state(tenant, **row)) for row in rows]

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ({}, "eve dan cleo bob ada"),
            ({"stage": DealStage.DISCOVERY}, "eve bob ada"),
            ({"account": "Other"}, "cleo"),
            ({"account": "other"}, ""),
            ({"persona": Persona.IC}, "dan bob"),
            ({"contact": "BOB"}, "dan bob"),
            ({"contact": "%"}, "ada"),
            ({"contact": "_"}, "bob"),
            ({"contact": "\\"}, ""),
            ({"contact": "'; drop table states; --"}, ""),
            ({"stage": DealStage.DISCOVERY, "persona": Persona.IC, "account": ACCOUNT, "contact": "x.example"}, "bob"),
            ({"limit": 2}, "eve dan"),
        ],
    )
    async def test_every_filter_narrows(
        self, database: Database, tenant: UUID, some: list[SavedState], filters: dict[str, Any], expected: str
    ) -> None:
        assert await self.contacts(database, tenant, **filters) == expected.split()

    async def test_a_time_without_its_zone_is_refused(self, repository: ConversationStateRepository) -> None:
        with pytest.raises(InputError, match="updated_since is a time without its zone"):
            await repository.list(updated_since=NOON.replace(tzinfo=None))

    async def test_updated_since_is_inclusive(self, database: Database, tenant: UUID, some: list[SavedState]) -> None:
        since = some[3].updated_at
        assert await self.contacts(database, tenant, updated_since=since) == ["eve", "dan"]

    @pytest.mark.parametrize("limit", [0, -1, 501])
    async def test_a_page_has_a_sensible_size(self, repository: ConversationStateRepository, limit: int) -> None:
        with pytest.raises(InputError, match="1 to 500"):
            await repository.list(limit=limit)

    async def test_pages_show_everything_once_although_others_save_in_between(
        self, database: Database, tenant: UUID
    ) -> None:
        async with database.tenant(tenant).begin() as session:  # one transaction: all have the same time
            for number in range(7):
                await ConversationStateRepository(session).save(a_state(tenant, f"c{number}"), version=None)
        seen: list[str] = []
        after: Cursor | None = None
        while True:
            async with database.tenant(tenant).begin() as session:
                page: Page = await ConversationStateRepository(session).list(limit=3, after=after)
            seen += [saved.state.contact_id for saved in page.states]
            await in_transaction(database, tenant, save=a_state(tenant, f"new {len(seen)}"))
            if page.next is None:
                break
            after = page.next
        assert sorted(seen) == [f"c{number}" for number in range(7)]

    @pytest.mark.parametrize("plan", ["force_generic_plan", "force_custom_plan"])
    @pytest.mark.parametrize(
        ("filters", "given", "index"),
        [
            (set(), "50", "conversation_states_tenant_id_state_id_idx"),
            ({"stage"}, "'discovery', 50", "conversation_states_tenant_id_deal_stage"),
            ({"account"}, "'account 3', 50", "conversation_states_tenant_id_account_id"),
        ],
    )
    async def test_the_indexes_are_used(
        self,
        database: Database,
        postgres: EmbeddedServer,
        tenant: UUID,
        plan: str,
        filters: set[str],
        given: str,
        index: str,
    ) -> None:
        with psycopg.connect(postgres.urls.maintenance) as administrator:
            administrator.execute(MANY, {"tenant": tenant, "rows": 4000})
            administrator.execute("analyze qbs.conversation_states")
        async with database.tenant(tenant).begin() as session:
            await session.execute(text(f"set plan_cache_mode = {plan}"))
            connection = await session.connection()
            await connection.exec_driver_sql(f"prepare listing as {list_statement(frozenset(filters)).sql.decode()}")
            explain = f"explain (format json) execute listing('{tenant}', {given})"
            [top] = (await connection.exec_driver_sql(explain)).scalar_one()
        used = json.dumps(top)
        assert index in used
        assert '"Sort"' not in used
        assert "Seq Scan" not in used


MANY = """
insert into qbs.conversation_states (tenant_id, state_id, account_id, contact_id, deal_stage, persona_type,
    qualification_data, metadata, schema_version, interaction_count, confidence_score, escalated, next_actions,
    created_at, updated_at, version)
select %(tenant)s, gen_random_uuid(), 'account ' || n %% 40, 'contact ' || n,
    (array['prospecting', 'discovery', 'qualification', 'evaluation', 'negotiation'])[1 + n %% 5], 'manager',
    '{}', '{}', 1, 0, 0, false, '[]', now(), now() - n * interval '1 minute', 1
from generate_series(1, %(rows)s) as n
"""

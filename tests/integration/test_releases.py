"""Releases in Postgres: numbers without gaps, rollbacks that go back step by step, overrides that stay visible."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from engine.errors import InputError, StaleStateError
from engine.prompts import PromptSet
from engine.releases import AS_EVERYBODY, NewRelease, ReleaseRepository, Stage
from engine.state.database import Database
from tests.integration.released_prompts import PASSED, edited, history, release, roll_back, shipped

A, B, C = (edited(f"Be {word}.") for word in ("brief", "warm", "plain"))


async def test_a_release_is_read_back_with_everything_that_was_said_of_it(database: Database, tenant: UUID) -> None:
    added = await release(database, tenant, A, note="shorter\nquestions", verdict="better")
    assert (added.number, added.stage, added.released_by, added.verdict) == (1, Stage.PRODUCTION, "ines", "better")
    assert (added.prompt_set, added.short, added.evidence) == (A.hash, A.short, PASSED)
    assert not added.is_overridden
    assert await history(database, tenant) == (added,)
    async with database.tenant(tenant).begin() as session:
        contents = await ReleaseRepository(session).contents(1)
    assert PromptSet.from_contents(contents).hash == A.hash
    assert contents == A.contents()


async def test_each_stage_has_its_newest(database: Database, tenant: UUID) -> None:
    await release(database, tenant, A)
    await release(database, tenant, B, Stage.CANDIDATE, evidence={})
    await release(database, tenant, B, Stage.DRAFT, evidence={})
    async with database.tenant(tenant).begin() as session:
        newest = {stage: await ReleaseRepository(session).newest(stage) for stage in Stage}
    assert {stage: found and found.number for stage, found in newest.items()} == {
        Stage.PRODUCTION: 1,
        Stage.CANDIDATE: 2,
        Stage.DRAFT: 3,
    }


async def test_many_at_once_get_numbers_without_gaps(database: Database, tenant: UUID) -> None:
    sets = [A, B, C]
    added = await asyncio.gather(*(release(database, tenant, sets[number % 3]) for number in range(12)))
    assert sorted(each.number for each in added) == list(range(1, 13))


async def test_of_two_who_decided_on_the_same_state_one_is_told_to_look_again(database: Database, tenant: UUID) -> None:
    first = await release(database, tenant, A)
    new = NewRelease.of(B, Stage.PRODUCTION, released_by="ines", evidence=PASSED)

    async def decided() -> int:
        async with database.tenant(tenant).begin() as session:
            return (await ReleaseRepository(session).add(new, since=first.number)).number

    results = await asyncio.gather(decided(), decided(), return_exceptions=True)
    assert sorted(map(str, results))[0] == "2"
    assert sum(isinstance(result, StaleStateError) for result in results) == 1


async def test_nothing_unbacked_comes_into_production(database: Database, tenant: UUID) -> None:
    for fields in ({"evidence": {}}, {"evidence": {"passed": False}}, {"evidence": {}, "overridden_because": "  "}):
        with pytest.raises(InputError, match="say why"):
            await release(database, tenant, A, **fields)
    assert await history(database, tenant) == ()


async def test_what_was_overridden_is_shown_so_ever_after(database: Database, tenant: UUID) -> None:
    forced = await release(database, tenant, A, evidence={"passed": False}, overridden_because="the fair is today")
    await release(database, tenant, B)
    again = await roll_back(database, tenant)
    assert (again.returns_to, again.prompt_set) == (forced.number, A.hash)
    assert (again.overridden_because, again.evidence) == ("the fair is today", {"passed": False})
    assert [each.is_overridden for each in await history(database, tenant)] == [True, False, True]


async def test_rolling_back_twice_goes_back_two_steps_and_then_to_everybodys(database: Database, tenant: UUID) -> None:
    for prompts in (A, B, C):
        await release(database, tenant, prompts)
    backs = [await roll_back(database, tenant) for _ in range(3)]
    assert [(each.prompt_set, each.returns_to) for each in backs] == [(B.hash, 2), (A.hash, 1), (AS_EVERYBODY, None)]
    assert not backs[-1].is_own
    with pytest.raises(InputError, match="nothing to roll back"):
        await roll_back(database, tenant)


async def test_a_release_after_a_rollback_goes_back_to_what_the_rollback_brought(
    database: Database, tenant: UUID
) -> None:
    for prompts in (A, B):
        await release(database, tenant, prompts)
    await roll_back(database, tenant)  # to A
    await release(database, tenant, C)
    back = await roll_back(database, tenant)
    assert (back.prompt_set, back.returns_to) == (A.hash, 1)


async def test_one_can_go_back_to_a_release_by_its_number(database: Database, tenant: UUID) -> None:
    for prompts in (A, B, C):
        await release(database, tenant, prompts)
    await release(database, tenant, B, Stage.CANDIDATE, evidence={})
    assert (await roll_back(database, tenant, to=1)).prompt_set == A.hash
    with pytest.raises(InputError, match="was not in production"):
        await roll_back(database, tenant, to=4)
    with pytest.raises(InputError, match="no release 99"):
        await roll_back(database, tenant, to=99)


async def test_nobody_goes_back_on_a_release_that_they_have_not_seen(database: Database, tenant: UUID) -> None:
    for prompts in (A, B):
        await release(database, tenant, prompts)
    with pytest.raises(StaleStateError):
        await roll_back(database, tenant, since=1)
    assert len(await history(database, tenant)) == 2
    assert (await roll_back(database, tenant, since=2)).prompt_set == A.hash


async def test_a_tenant_without_releases_has_nothing_to_roll_back(database: Database, tenant: UUID) -> None:
    with pytest.raises(InputError, match="nothing to roll back"):
        await roll_back(database, tenant)


async def test_what_is_in_production_steps_back_by_a_rollback_only(database: Database, tenant: UUID) -> None:
    await release(database, tenant, A)
    with pytest.raises(InputError, match="roll back first"):
        await release(database, tenant, A, Stage.CANDIDATE)
    await release(database, tenant, B)
    stepped = await release(database, tenant, A, Stage.DRAFT)
    assert stepped.stage is Stage.DRAFT


async def test_tenants_see_their_own_releases_only(database: Database, tenant: UUID) -> None:
    await release(database, tenant, A)
    assert await history(database, uuid4()) == ()


async def test_a_prompt_that_postgres_cannot_keep_is_refused_in_words(database: Database, tenant: UUID) -> None:
    for text, said in (("a\0b", "NUL"), ("a\ud800b", "surrogate")):
        new = NewRelease(
            prompt_set="x", stage=Stage.DRAFT, prompts={"question": text}, released_by="ines", evidence=PASSED
        )
        async with database.tenant(tenant).begin() as session:
            with pytest.raises(InputError, match=said):
                await ReleaseRepository(session).add(new)
    written = NewRelease(prompt_set="x", stage=Stage.DRAFT, prompts={"question": r"a\u0000b"}, released_by="ines")
    async with database.tenant(tenant).begin() as session:
        added = await ReleaseRepository(session).add(written)
        assert await ReleaseRepository(session).contents(added.number) == {"question": r"a\u0000b"}


async def test_the_history_comes_in_pages(database: Database, tenant: UUID) -> None:
    for prompts in (A, B, C):
        await release(database, tenant, prompts)
    async with database.tenant(tenant).begin() as session:
        releases = ReleaseRepository(session)
        page = await releases.history(limit=2)
        rest = await releases.history(limit=2, before=page[-1].number)
    assert [each.number for each in (*page, *rest)] == [3, 2, 1]
    assert shipped().hash not in {each.prompt_set for each in page}

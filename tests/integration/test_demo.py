"""The demo over a real Postgres: recorded answers follow what is released, and a reset leaves nothing of before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from engine.prompts import PromptSet
from engine.releases import NewRelease, ReleaseRepository, Stage
from engine.state.erasing import erase_tenant
from evals.library import Dataset, load_dataset
from tests.integration.live_customers import ServicesOver, play
from workbench.background import Background
from workbench.demo import candidate
from workbench.demo.cast import take_candidate
from workbench.live import Answers, Kept, LiveContact, LiveConversations
from workbench.presenters.live_script import opening
from workbench.services import SHIPPED_DATASETS
from workbench.settings import Settings

if TYPE_CHECKING:
    from engine.state.embedded import EmbeddedServer

SCRIPT, SOME = "founder", 5


@pytest.fixture
def background() -> Iterator[Background]:
    made = Background()
    yield made
    made.close()


@pytest.fixture
async def live(postgres: EmbeddedServer, background: Background, tmp_path: Path) -> AsyncIterator[LiveConversations]:
    services = ServicesOver(Settings(home=tmp_path), SHIPPED_DATASETS, postgres.urls.app)
    assert take_candidate(services) == ""
    live = LiveConversations(services, background)
    await live.open()
    yield live
    await live.aclose()


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load_dataset(SHIPPED_DATASETS / "b2b_discovery")


@pytest.fixture
def calmer(live: LiveConversations) -> PromptSet:
    found = candidate(live._services)
    assert found is not None
    assert found.answered
    return found.prompts


async def release(live: LiveConversations, tenant: UUID, prompts: PromptSet) -> None:
    new = NewRelease.of(prompts, Stage.PRODUCTION, released_by="ines", overridden_because="a demo")
    async with live._tenant(str(tenant)).begin() as session:
        await ReleaseRepository(session).add(new)


def questions(kept: Kept) -> set[tuple[str, str | None]]:
    """Who answered, and with which question prompt."""
    sources = [item.analysis.question.source for item in kept.turns if item.analysis is not None]
    return {(source.label, source.prompt) for source in sources}


async def test_recorded_answers_follow_what_is_released_from_the_next_conversation_on(
    live: LiveConversations, dataset: Dataset, tenant: UUID, calmer: PromptSet
) -> None:
    shipped, recorded = live._services.prompt_workspace().shipped, dataset.conversation(SCRIPT)
    begun = await play(live, dataset, recorded, str(tenant), most=SOME)
    assert questions(begun) == {("recorded", shipped.prompt("question").ref)}

    await release(live, tenant, calmer)
    ended = await play(live, dataset, recorded, str(tenant))
    assert questions(ended) == {("recorded", shipped.prompt("question").ref)}

    other = dataset.conversation("deflector")
    assert questions(await play(live, dataset, other, str(tenant))) == {("recorded", calmer.prompt("question").ref)}
    found = await live.production(str(tenant))
    assert found is not None
    assert (found.number, found.is_overridden) == (1, True)


async def test_after_a_reset_the_process_knows_nothing_of_before(
    live: LiveConversations, dataset: Dataset, tenant: UUID, calmer: PromptSet, postgres: EmbeddedServer
) -> None:
    name, recorded = str(tenant), dataset.conversation(SCRIPT)
    shipped = live._services.prompt_workspace().shipped
    await release(live, tenant, calmer)
    assert questions(await play(live, dataset, recorded, name)) == {("recorded", calmer.prompt("question").ref)}

    gone = await live.erase(name, lambda: erase_tenant(postgres.urls.maintenance, tenant))
    assert gone["conversation_states"] == 1
    assert live.erasures == 1
    state = opening(recorded)
    contact = LiveContact(name, state.account_id, state.contact_id)
    assert (await live.kept(contact)).turns == ()
    assert live.last(contact) is None
    assert await live.contacts(name) == ()
    assert await live.production(name) is None
    again = await play(live, dataset, recorded, name, most=SOME)
    assert questions(again) == {("recorded", shipped.prompt("question").ref)}


async def test_a_message_that_is_said_during_a_reset_is_answered_in_words_and_not_kept(
    live: LiveConversations, dataset: Dataset, tenant: UUID
) -> None:
    from workbench.live import Saying

    state = opening(dataset.conversation(SCRIPT))
    contact = LiveContact(str(tenant), state.account_id, state.contact_id)
    first = dataset.conversation(SCRIPT).turns[0]
    said: list[str] = []

    def meanwhile() -> None:
        said.append(live.say(contact, Saying("one", first, state, Answers("rules"))).taking.result())

    await live.erase(str(tenant), meanwhile)
    assert said == ["the tenant is being erased at this moment; try again when that is done"]
    assert (await live.kept(contact)).turns == ()

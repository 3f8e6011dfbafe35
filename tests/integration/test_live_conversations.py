"""The Live page's conversations over a real Postgres: as in a replay, tenant by tenant, and each message once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from engine.drafting import Draft
from engine.errors import InvalidStageTransitionError
from engine.live import Message
from engine.live.keeping import accept
from engine.model.analysis import Analysis, FallbackReason, Source
from engine.model.conversation import Channel, DealStage, Persona, Speaker, Turn
from evals.library import Dataset, load_dataset
from evals.replay import replay
from tests.integration.live_customers import ServicesOver, play
from workbench.background import Background
from workbench.live import Answers, LiveContact, LiveConversations, Saying, Steps
from workbench.presenters.live_contacts import ListedContact, new_contact
from workbench.presenters.live_conversation import Talk, talk_of
from workbench.presenters.live_thinking import Step
from workbench.services import SHIPPED_DATASETS
from workbench.settings import Settings

if TYPE_CHECKING:
    from engine.state.embedded import EmbeddedServer

RULES = Answers("rules")
WAIT = 60.0


@pytest.fixture
def background() -> Iterator[Background]:
    made = Background()
    yield made
    made.close()


@pytest.fixture
async def live(postgres: EmbeddedServer, background: Background, tmp_path: Path) -> AsyncIterator[LiveConversations]:
    """On the test's own loop: only what begins by a click runs on that of `background`."""
    services = ServicesOver(Settings(home=tmp_path), SHIPPED_DATASETS, postgres.urls.app)
    live = LiveConversations(services, background)
    await live.open()
    yield live
    await live.aclose()


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load_dataset(SHIPPED_DATASETS / "b2b_discovery")


@pytest.mark.parametrize("conversation_id", ["founder", "budget-withdrawn", "same-first-name"])
async def test_a_scripted_customer_gets_the_answers_of_a_replay(
    live: LiveConversations, dataset: Dataset, tenant: UUID, conversation_id: str
) -> None:
    recorded = dataset.conversation(conversation_id)
    kept = await play(live, dataset, recorded, str(tenant))
    analyses = [item.analysis for item in kept.turns if item.analysis is not None]
    assert {source.label for analysis in analyses for source in analysis.sources.values()} == {"recorded"}
    reader = live._readers.of(Answers("recorded", dataset.folder / "recordings"))
    analyzer = live._services.analyzer_for(reader.variant, reader.service)
    again = [record async for record in replay(recorded, analyzer, run_id="again")]
    assert [record.result for record in again] == analyses
    assert kept.state is not None
    assert kept.state.metadata["qbs"] == again[-1].after.metadata["qbs"]
    assert kept.state.deal_stage is (
        recorded.stage_changes[-1].to if recorded.stage_changes else again[-1].after.deal_stage
    )


def said(speaker: Speaker, text: str, id_: str, *, carries: bool = False) -> Saying:
    turn = Turn(index=0, speaker=speaker, text=text, time=datetime.now(UTC))
    return Saying(id_, turn, new_contact("Acme", "Ida", Persona.MANAGER), RULES, carries=carries)


def customer(text: str, id_: str) -> Saying:
    return said(Speaker.CUSTOMER, text, id_)


async def test_what_is_shown_is_what_is_kept(live: LiveConversations, tenant: UUID) -> None:
    ida = LiveContact(str(tenant), "Acme", "Ida")
    await live.deliver(ida, customer("Our planners retype every order by hand, two days a week.", "one"))
    await live.deliver(ida, said(Speaker.SELLER, "And what stops meanwhile?", "two"))
    await live.deliver(ida, customer("A wrong shipment cost us €42,000 last quarter.", "three"))
    kept = await live.kept(ida)
    assert kept.state is not None
    talk = talk_of(kept.state, kept.turns)
    assert talk.side.after(2) == kept.state
    assert (talk.answered, talk.unread) == (2, None)
    assert [kept.id_of(turn) for turn in range(3)] == ["one", "two", "three"]
    assert await live.contacts(str(tenant)) == (ListedContact("Acme", "Ida"),)


async def test_the_same_message_twice_changes_nothing(live: LiveConversations, tenant: UUID) -> None:
    ida = LiveContact(str(tenant), "Acme", "Ida")
    for _ in range(2):
        await live.deliver(ida, customer("We retype every order by hand.", "one"))
    kept = await live.kept(ida)
    assert (len(kept.turns), kept.state and kept.state.interaction_count) == (1, 1)


async def test_another_tenant_sees_none_of_the_rows(live: LiveConversations, tenant: UUID) -> None:
    ida, other = LiveContact(str(tenant), "Acme", "Ida"), str(uuid4())
    for contact in (ida, LiveContact(other, "Acme", "Ida")):
        await live.deliver(contact, customer("We retype every order by hand.", "one"))
    own = await live.sight(ida, ida.tenant)
    assert own.rows == {"conversation_states": 1, "messages": 1, "outcomes": 2}
    assert (await live.sight(ida, other)).total == 0
    assert (await live.kept(ida)).sight == own


@pytest.mark.parametrize(("carries", "sent"), [(True, True), (False, False)])
async def test_whether_the_question_went_out_is_reported(
    live: LiveConversations, tenant: UUID, carries: bool, sent: bool
) -> None:
    ida = LiveContact(str(tenant), "Acme", "Ida")
    await live.deliver(ida, customer("We retype every order by hand, two days a week.", "one"))
    before = await live.kept(ida)
    assert before.outcome is not None
    assert before.outcome.sent is None
    await live.deliver(ida, said(Speaker.SELLER, "What stops meanwhile?", "two", carries=carries))
    await live.deliver(ida, said(Speaker.SELLER, "Take your time.", "three"))
    after = await live.kept(ida)
    assert after.outcome is not None
    assert (after.outcome.sent, after.outcome.status) == (sent, "pending" if sent else "not_sent")


async def test_a_stage_is_moved_by_the_rules_only(live: LiveConversations, tenant: UUID) -> None:
    ida = LiveContact(str(tenant), "Acme", "Ida")
    await live.deliver(ida, customer("We retype every order by hand.", "one"))
    await live._move(ida, DealStage.DISCOVERY, Steps())
    with pytest.raises(InvalidStageTransitionError):
        await live._move(ida, DealStage.CLOSED_WON, Steps())
    kept = await live.kept(ida)
    assert [(move.before, move.after, move.by) for move in kept.moves] == [
        (DealStage.PROSPECTING, DealStage.DISCOVERY, "by the presenter")
    ]


TWO_MOVES = (DealStage.DISCOVERY, DealStage.QUALIFICATION)


@pytest.mark.parametrize("made", [0, 1, 2])
async def test_a_message_delivered_again_makes_only_the_moves_that_are_missing(
    live: LiveConversations, tenant: UUID, made: int
) -> None:
    ida = LiveContact(str(tenant), "Acme", "Ida")
    saying = customer("We retype every order by hand.", "one")
    await live.deliver(ida, replace(saying, moves=TWO_MOVES[:made]))
    for _ in range(2):
        await live.deliver(ida, replace(saying, moves=TWO_MOVES))
    kept = await live.kept(ida)
    assert tuple(move.after for move in reversed(kept.moves)) == TWO_MOVES


class Desk:
    """Drafts as slowly as a test wants, and counts what it was asked for."""

    def __init__(self) -> None:
        self.open, self.asked, self.failing = asyncio.Event(), 0, False

    def __call__(self, *asked: object) -> Desk:
        return self

    async def draft(self, *asked: object, channel: Channel) -> Draft:
        self.asked += 1
        number = self.asked
        await self.open.wait()
        if self.failing:
            raise LookupError
        return Draft(text=f"draft {number}", source=Source(kind="rules"))


@pytest.fixture
async def talked(live: LiveConversations, tenant: UUID) -> Talk:
    """A talk with one message, which was analysed."""
    ida = LiveContact(str(tenant), "Acme", "Ida")
    await live.deliver(ida, customer("We retype every order by hand.", "one"))
    kept = await live.kept(ida)
    assert kept.state is not None
    return talk_of(kept.state, kept.turns)


@pytest.fixture
def desk(live: LiveConversations, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk()
    monkeypatch.setattr(ServicesOver, "drafter", desk)
    return desk


async def test_pages_that_ask_at_the_same_time_get_one_draft_also_when_the_first_goes_away(
    live: LiveConversations, talked: Talk, desk: Desk
) -> None:
    beth = LiveContact("t", "Acme", "Beth")
    pages = [asyncio.create_task(live.draft(beth, talked, RULES)) for _ in range(3)]
    await asyncio.sleep(0)
    pages[0].cancel()
    await asyncio.sleep(0)
    desk.open.set()
    drafts = await asyncio.gather(*pages[1:], live.draft(beth, talked, RULES))
    assert {draft and draft.text for draft in drafts} == {"draft 1"}
    assert desk.asked == 1


async def test_another_analysis_and_another_variant_make_another_draft(
    live: LiveConversations, talked: Talk, desk: Desk, dataset: Dataset
) -> None:
    beth = LiveContact("t", "Acme", "Beth")
    desk.open.set()
    record = talked.side.records[0]
    assert isinstance(record.result, Analysis)
    source = Source(kind="rules", fallback_reason=FallbackReason.DEADLINE)
    question = record.result.question.model_copy(update={"source": source})
    changed = record.model_copy(update={"result": record.result.model_copy(update={"question": question})})
    again = replace(talked, side=replace(talked.side, records={0: changed}))
    recorded = Answers("recorded", dataset.folder / "recordings")
    asked = [(talked, RULES), (again, RULES), (talked, recorded), (talked, RULES), (again, RULES)]
    drafts = [await live.draft(beth, talk, answers) for talk, answers in asked]
    assert [draft and draft.text for draft in drafts] == ["draft 1", "draft 2", "draft 3", "draft 1", "draft 2"]


async def test_a_draft_that_failed_is_made_again(live: LiveConversations, talked: Talk, desk: Desk) -> None:
    beth = LiveContact("t", "Acme", "Beth")
    desk.open.set()
    desk.failing = True
    with pytest.raises(LookupError):
        await live.draft(beth, talked, RULES)
    desk.failing = False
    draft = await live.draft(beth, talked, RULES)
    assert draft is not None
    assert draft.text == "draft 2"


async def test_a_message_that_was_kept_and_not_read_is_read_when_it_is_delivered_again(
    live: LiveConversations, tenant: UUID
) -> None:
    ida, words = LiveContact(str(tenant), "Acme", "Ida"), "We retype every order by hand."
    async with live._opened.tenant(str(tenant)).begin() as session:
        opening = new_contact("Acme", "Ida", Persona.MANAGER).model_copy(update={"tenant_id": str(tenant)})
        await accept(session, opening, Message(id="one", text=words))
    kept = await live.kept(ida)
    assert kept.state is not None
    assert talk_of(kept.state, kept.turns).unread == 0
    await live.deliver(ida, customer(words, kept.id_of(0)))
    again = await live.kept(ida)
    assert again.state is not None
    assert (talk_of(again.state, again.turns).answered, again.state.interaction_count) == (0, 1)


async def test_what_begins_by_a_click_runs_once_and_is_watched(
    postgres: EmbeddedServer, background: Background, tmp_path: Path, tenant: UUID
) -> None:
    """On the loop of `background`, as a page begins it: a second click meanwhile begins nothing."""
    live = LiveConversations(ServicesOver(Settings(home=tmp_path), SHIPPED_DATASETS, postgres.urls.app), background)
    ida = LiveContact(str(tenant), "Acme", "Ida")
    background.call(live.open(), WAIT)
    begun = live.say(ida, customer("We retype every order by hand.", "one"))
    assert live.say(ida, customer("Something else.", "two")) is begun
    assert begun.taking.result(WAIT) == ""
    assert live.last(ida) is begun
    assert [step.step for step in begun.steps.taken()] == [Step.ACCEPTING, Step.READING, Step.KEEPING, Step.DRAFTING]
    kept = background.call(live.kept(ida), WAIT)
    assert kept.state is not None
    draft = background.call(live.draft(ida, talk_of(kept.state, kept.turns), RULES), WAIT)
    assert draft is not None
    assert draft.source.kind == "rules"
    background.call(live.aclose(), WAIT)

"""A promotion reaches the Live page's model answers and drafts; recorded answers and rules stay what they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from engine.drafting import Draft
from engine.live.released import ReleasedPrompts
from engine.model.analysis import Analysis
from engine.model.conversation import Persona, Speaker, Turn
from engine.prompts import ANALYSIS_PROMPTS, PromptSet
from engine.state.database import Database
from engine.state.embedded import EmbeddedServer
from tests.engine.scripted_service import ScriptedService
from tests.integration.live_customers import ServicesOver
from tests.integration.released_prompts import edited, release, roll_back, shipped
from workbench.background import Background
from workbench.live import Answers, LiveContact, LiveConversations, Saying
from workbench.presenters.live_contacts import new_contact
from workbench.presenters.live_conversation import talk_of
from workbench.services import SHIPPED_DATASETS
from workbench.settings import Settings

MODELS = Answers("llm")
RECORDED = Answers("recorded", SHIPPED_DATASETS / "b2b_discovery" / "recordings")
RELEASED = edited("Be brief.").with_prompts(
    *(edited("Be brief.", name).prompt(name) for name in (*ANALYSIS_PROMPTS, "email", "chat"))
)


class Models(ScriptedService):
    """Answers without any network."""

    async def warm_up(self) -> None:
        """Nothing to load."""

    async def aclose(self) -> None:
        """Nothing to close."""


@dataclass(frozen=True, slots=True)
class ServicesWithModels(ServicesOver):
    """Services whose models answer from a script, and whose clock is moved by hand."""

    models: Models = field(default_factory=Models)
    moments: list[float] = field(default_factory=lambda: [0.0])

    def model_service_for(self, variant: Any) -> Any:
        if variant.name == "recorded":
            return ServicesOver.model_service_for(self, variant)
        return self.models

    def released_prompts(self, database: Database) -> ReleasedPrompts:
        return ReleasedPrompts(database, wait_s=60.0, clock=lambda: self.moments[-1])


@pytest.fixture
def services(postgres: EmbeddedServer, tmp_path: Path) -> ServicesWithModels:
    settings = Settings(home=tmp_path, reasoning_model="openai/fake")
    return ServicesWithModels(settings, SHIPPED_DATASETS, postgres.urls.app)


@pytest.fixture
async def live(services: ServicesWithModels) -> AsyncIterator[LiveConversations]:
    background = Background()
    live = LiveConversations(services, background)
    await live.open()
    yield live
    await live.aclose()
    background.close()


def said(text: str, answers: Answers) -> Saying:
    turn = Turn(index=0, speaker=Speaker.CUSTOMER, text=text, time=datetime.now(UTC))
    return Saying(f"m-{text}", turn, new_contact("Acme", "Ida", Persona.MANAGER), answers)


async def answered(live: LiveConversations, contact: LiveContact, saying: Saying) -> tuple[Analysis, Draft]:
    assert await live.deliver(contact, saying) == ""
    kept = await live.kept(contact)
    assert kept.state is not None
    talk = talk_of(kept.state, kept.turns)
    analysis, draft = kept.turns[-1].analysis, await live.draft(contact, talk, saying.answers)
    assert analysis is not None
    assert draft is not None
    return analysis, draft


def refs(prompts: PromptSet) -> dict[str, str]:
    return {name: prompts.prompt(name).ref for name in ANALYSIS_PROMPTS}


async def test_a_promotion_reaches_analysis_and_draft_and_a_rollback_takes_it_back(
    live: LiveConversations, services: ServicesWithModels, tenant: UUID
) -> None:
    ida, database = LiveContact(str(tenant), "Acme", "Ida"), live._opened
    promote, back = partial(release, database, tenant, RELEASED), partial(roll_back, database, tenant)
    for number, (change, expected) in enumerate(((None, shipped()), (promote, RELEASED), (back, shipped()))):
        if change is not None:
            await change()
        services.moments.append(60.0 * number)
        analysis, draft = await answered(live, ida, said(f"We retype every order, {number}.", MODELS))
        assert {name: source.prompt for name, source in analysis.sources.items()} == refs(expected)
        drafted_with = (draft.source.prompt or "").split("+")[0]
        assert drafted_with in {expected.prompt(name).ref for name in ("email", "chat")}
        assert not any(source.is_fallback for source in analysis.sources.values())


async def test_another_tenant_is_not_touched(
    live: LiveConversations, services: ServicesWithModels, tenant: UUID
) -> None:
    await release(live._opened, tenant, RELEASED)
    analysis, _ = await answered(live, LiveContact("somebody else", "Acme", "Ida"), said("We retype.", MODELS))
    assert analysis.question.source.prompt == refs(shipped())["question"]


async def test_recorded_answers_stay_those_to_the_shipped_prompts(
    live: LiveConversations, services: ServicesWithModels, tenant: UUID
) -> None:
    from tests.integration.live_customers import play

    await release(live._opened, tenant, RELEASED)
    dataset = services.dataset("b2b_discovery")
    kept = await play(live, dataset, dataset.conversation("founder"), str(tenant), most=4)
    analyses = [item.analysis for item in kept.turns if item.analysis is not None]
    assert analyses
    assert {source.label for own in analyses for source in own.sources.values()} == {"recorded"}
    assert not services.models.requests

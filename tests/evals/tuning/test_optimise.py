"""The search: it finds a known instruction, keeps to what it may see and spend, and says why it ended."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigurationError, InputError
from engine.llm.fake import FakeModel, FakeModelConfig, Fault
from engine.llm.limits import Ledger, Limits
from engine.llm.recordings import RecordingMode, RecordingStore
from engine.llm.service import ModelService
from engine.model.analysis import FallbackReason
from engine.prompts import PromptLibrary
from evals.library import Dataset
from evals.metrics import find_metrics
from evals.tuning.candidates import Candidate, Found, SearchEnd
from evals.tuning.optimise import Goal, import_gepa, optimise, sections_to_search
from evals.tuning.parts import PartAnswers
from evals.tuning.reflection import Reflection
from evals.tuning.search_turns import hold_out, search_turns
from tests.engine.llm.asking import service_for
from tests.evals.tuning.searching import (
    KNOWN_INSTRUCTION,
    MODEL,
    RewardsAnInstruction,
    extraction,
    system_of,
    talks_with_labels,
)

USELESS = "Be careful."
INVENTS = "The deal is worth {{ deal_size }}."
METRICS = find_metrics(("extraction.f1",))


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return talks_with_labels(tmp_path / "talks")


async def search(
    service: ModelService, dataset: Dataset, *, names: Sequence[str] = ("extraction.f1",), **options: Any
) -> Found:
    """Search with what is not held out, and with nothing else."""
    await service.warm_up()
    metrics, seed = find_metrics(names), options.pop("seed", 0)
    examples = await search_turns(hold_out(dataset, 0.5, seed).search, dataset)
    models = {"reasoning": MODEL, "fast": MODEL, None: MODEL}
    goal = Goal(metrics, options.pop("sections", ("system",)), seed, options.pop("patience", 4))
    answers = PartAnswers(service, PromptLibrary(), models, deadline_s=20)
    return await optimise(extraction(), examples, answers, Reflection(service, MODEL, metrics), goal, **options)


def fake(*proposals: str, **config: Any) -> tuple[FakeModel, RewardsAnInstruction]:
    answers = RewardsAnInstruction(proposals)
    return FakeModel(FakeModelConfig(answers=answers, **config)), answers


async def test_a_known_instruction_is_found_and_then_nothing_more_is_asked(dataset: Dataset):
    told: list[Candidate] = []
    server, _ = fake(USELESS, INVENTS, KNOWN_INSTRUCTION)
    async with server, service_for(server.base_url, ledger=Ledger(Limits(max_calls=60))) as service:
        found = await search(service, dataset, on_candidate=told.append)
    assert found.ended is SearchEnd.PERFECT
    assert found.best is not None
    assert KNOWN_INSTRUCTION in system_of(found.best.prompt)
    assert [own.score for own in found.scored] == [0.0, 1.0]
    # 8 turns by the first prompt and 8 by the best, 3 by the useless one, none by the unusable one, and 3 proposals
    assert server.stats.requests == 8 + 8 + 3 + 3
    assert {own.number for own in told} == {0, 1, 2}
    assert found.front == (found.best,)


async def test_every_candidate_is_kept_with_its_parent_and_what_became_of_it(dataset: Dataset):
    server, _ = fake(USELESS, KNOWN_INSTRUCTION)
    async with server, service_for(server.base_url) as service:
        found = await search(service, dataset)
    first, useless, best = found.candidates
    assert (first.parent, useless.parent, best.parent) == (None, 0, 0)
    assert (useless.scores, useless.first_look is not None) == (None, True)
    assert useless.note == "given up: 0.000 on 3 turns where its parent has 0.000"
    assert best.note == "mean over the turns searched with: extraction.f1 1.000"
    assert len({own.prompt.hash for own in found.candidates}) == 3


@pytest.mark.parametrize(
    ("proposal", "said"),
    [
        (INVENTS, "unknown variable 'deal_size'"),
        ("Careful.\n## user\nAnd now I speak.", "there is a section '## user' already"),
        ("Careful.\n## assistant\nAnd now I speak.", "opens a section of its own"),
        ("{% for a in range(10) %}x{% endfor %}", "loops"),
    ],
)
async def test_a_proposal_that_is_no_sound_prompt_scores_nothing_and_the_next_reflection_is_told_why(
    dataset: Dataset, proposal: str, said: str
):
    server, model = fake(proposal, KNOWN_INSTRUCTION)
    async with server, service_for(server.base_url) as service:
        found = await search(service, dataset)
    assert found.ended is SearchEnd.PERFECT
    assert [said in reason for reason in found.refused] == [True]
    assert said not in model.reflections[0]
    assert said in model.reflections[1]
    assert len(found.candidates) == 2


async def test_a_proposal_that_drops_a_variable_is_refused(dataset: Dataset):
    server, _ = fake("=" + KNOWN_INSTRUCTION)
    async with server, service_for(server.base_url) as service:
        found = await search(service, dataset, sections=("user",), patience=1)
    assert found.ended is SearchEnd.PLATEAU
    assert "never used" in found.refused[0]
    assert [own.number for own in found.candidates] == [0]


@pytest.mark.parametrize("seed", [0, 1])
async def test_no_request_holds_a_word_of_the_conversations_that_are_held_out(dataset: Dataset, seed: int):
    server, model = fake(USELESS, KNOWN_INSTRUCTION)
    async with server, service_for(server.base_url) as service:
        await search(service, dataset, seed=seed)
    halves = hold_out(dataset, 0.5, seed)
    everything = "\n".join(model.seen)
    assert len(halves.held_out) == 4
    assert not [turn.text for own in halves.held_out for turn in own.turns if turn.text in everything]
    assert all(turn.text in everything for own in halves.search for turn in own.turns)


@pytest.mark.parametrize("calls", [5, 12, 17])
async def test_a_search_stops_at_its_limit_and_keeps_what_it_has(dataset: Dataset, calls: int):
    server, _ = fake(USELESS)
    async with server, service_for(server.base_url, ledger=Ledger(Limits(max_calls=calls))) as service:
        found = await search(service, dataset)
    assert found.ended is SearchEnd.LIMIT
    assert server.stats.requests == calls
    assert (found.best is not None) == (calls >= 8)


async def test_saying_nothing_does_not_pay_where_there_was_something_to_say(dataset: Dataset):
    """An answer that finds nothing agrees with every label in what it found."""
    server, _ = fake(KNOWN_INSTRUCTION)
    async with server, service_for(server.base_url) as service:
        found = await search(service, dataset, names=("extraction.value_agreement", "extraction.precision"))
    first, best = found.scored
    assert first.scores == {"extraction.value_agreement": 0.0, "extraction.precision": 0.0}
    assert best.scores == {"extraction.value_agreement": 1.0, "extraction.precision": 1.0}


async def test_a_search_without_progress_ends(dataset: Dataset):
    server, model = fake(USELESS, "Be kind.")
    async with server, service_for(server.base_url) as service:
        found = await search(service, dataset, patience=3)
    assert found.ended is SearchEnd.PLATEAU
    assert len(model.reflections) == 3
    assert found.best is found.candidates[0]


async def test_a_search_repeated_after_its_limit_pays_for_nothing_twice(dataset: Dataset, tmp_path: Path):
    server, model = fake(USELESS, KNOWN_INSTRUCTION)
    async with server:
        for calls in (10, 100):
            store = RecordingStore(tmp_path / "recordings")
            given = {"store": store, "mode": RecordingMode.REUSE, "ledger": Ledger(Limits(max_calls=calls))}
            async with service_for(server.base_url, **given) as service:
                found = await search(service, dataset)
    assert found.ended is SearchEnd.PERFECT
    assert len(model.seen) == len(set(model.seen)) == 8 + 8 + 3 + 2


async def test_a_person_can_stop_it(dataset: Dataset):
    stop = asyncio.Event()
    server, model = fake(USELESS)
    async with server, service_for(server.base_url) as service:
        found = await search(service, dataset, stop=stop, on_candidate=lambda _: stop.set())
    assert found.ended is SearchEnd.STOPPED
    assert len(model.reflections) == 0


async def test_cancelling_leaves_no_thread_behind(dataset: Dataset):
    server, _ = fake(USELESS, latency_ms=50)
    async with server, service_for(server.base_url) as service:
        searching = asyncio.create_task(search(service, dataset, patience=1000))
        await asyncio.sleep(0.5)
        searching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await searching
        asked = server.stats.requests
        await asyncio.sleep(0.2)
        assert server.stats.requests == asked


async def test_a_model_that_cannot_be_asked_ends_it_with_the_reason(dataset: Dataset):
    server, _ = fake(USELESS, faults={Fault.UNAUTHORISED: 1.0})
    async with server, service_for(server.base_url) as service:
        found = await search(service, dataset)
    assert (found.ended, found.reason) == (SearchEnd.UNANSWERED, FallbackReason.NOT_AUTHORISED)
    assert found.best is None


async def test_a_metric_that_is_no_share_is_refused_before_anything_is_asked(dataset: Dataset):
    server, model = fake(USELESS)
    async with server, service_for(server.base_url) as service:
        with pytest.raises(InputError, match=r"operations\.tokens is no share"):
            await search(service, dataset, names=("operations.tokens",))
    assert not model.seen


def test_without_gepa_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    real = builtins.__import__

    def without_gepa(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".", 1)[0] == "gepa":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_gepa)
    with pytest.raises(ConfigurationError, match=r"make install.*qbs-workbench\[optimize\]"):
        import_gepa()


def test_the_instructions_are_what_is_searched_unless_told_otherwise():
    assert sections_to_search(extraction()) == ("system",)

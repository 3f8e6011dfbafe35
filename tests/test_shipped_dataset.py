"""The shipped conversations, labels and recordings are what their README says."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from engine.analyzers import LLMAnalyzer
from engine.llm.recordings import RecordingMode, RecordingStore
from engine.llm.service import ModelService
from engine.model.analysis import Analysis
from engine.prompts import PromptLibrary
from evals.agreement import agreement
from evals.jsonl import parse_object
from evals.labels import LabelLine, TurnLabel, read_labels
from evals.library import Dataset, check_dataset, load_dataset
from evals.replay import replay

FOLDER = Path(__file__).parents[1] / "datasets" / "b2b_discovery"
TEST = {"airline-maintenance", "champion", "cold-lawfirm", "injection", "introductions", "no-need"}


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load_dataset(FOLDER)


def test_nothing_is_wrong_with_it() -> None:
    assert check_dataset(FOLDER) == []


def test_there_are_enough_conversations_of_every_form(dataset: Dataset) -> None:
    assert len(dataset.conversations) >= 20
    assert {len(conversation.turns) for conversation in dataset.conversations} <= set(range(8, 25))
    assert len({conversation.industry for conversation in dataset.conversations}) >= 20
    assert set(Counter(conversation.channel for conversation in dataset.conversations)) == {"email", "chat", "call"}
    assert set(Counter(conversation.persona for conversation in dataset.conversations)) == {"ic", "manager", "c_suite"}


def test_six_conversations_are_set_apart(dataset: Dataset) -> None:
    assert {conversation.id for conversation in dataset.part("test")} == TEST


def test_every_customer_turn_is_labelled_and_labelled_twice_before(dataset: Dataset) -> None:
    turns = {(talk.id, turn.index) for talk in dataset.conversations for turn in talk.customer_turns}
    assert {(id_, turn) for id_, own in dataset.labels.items() for turn in own} == turns
    assert {label.key for label in _labelled("first")} == turns
    assert {label.key for label in _labelled("second")} == turns


def test_the_readme_states_the_agreement_that_the_labellings_have() -> None:
    stated = dict(
        re.findall(r"^\| ([\w.]+) \| [\w ]+ \| (\d\.\d\d) \|", (FOLDER / "README.md").read_text(), re.MULTILINE)
    )
    measured = {row.label: f"{row.value:.2f}" for row in agreement(_labelled("first"), _labelled("second"))}
    assert stated == measured


def test_the_recordings_name_the_prompts_in_use() -> None:
    manifest = parse_object((FOLDER / "recordings" / "MANIFEST.json").read_bytes())
    assert manifest["prompts"] == dict(PromptLibrary().hashes(tuple(manifest["prompts"])))


async def test_every_request_of_a_carried_replay_has_a_recording(dataset: Dataset) -> None:
    assert await _sources(dataset, PromptLibrary()) == {"recorded": 522}


async def test_the_candidate_that_comes_along_has_a_recording_for_every_request(dataset: Dataset) -> None:
    manifest = parse_object((FOLDER / "recordings" / "MANIFEST.json").read_bytes())
    library = PromptLibrary(FOLDER / "prompts", chosen={"question": "v2"})
    assert manifest["covers"] == [library.hashes(tuple(manifest["prompts"]))]
    assert await _sources(dataset, library) == {"recorded": 522}


async def _sources(dataset: Dataset, prompts: PromptLibrary) -> Counter[str]:
    """Where the answers of a carried replay came from."""
    models = parse_object((FOLDER / "recordings" / "MANIFEST.json").read_bytes())["models"]
    store = RecordingStore(read_only=[FOLDER / "recordings"])
    sources: Counter[str] = Counter()
    async with ModelService(store=store, mode=RecordingMode.RECORDED) as service:
        analyzer = LLMAnalyzer(service, prompts, models["reasoning"], models["fast"], deadline_s=120)
        for conversation in dataset.conversations:
            async for record in replay(conversation, analyzer, run_id="shipped"):
                assert isinstance(record.result, Analysis)
                sources.update(source.label for source in record.result.sources.values())
    return sources


def _labelled(name: str) -> list[TurnLabel]:
    lines, problems = read_labels(FOLDER / "labelling" / f"{name}.jsonl")
    assert problems == ()
    return [line.label for line in lines if isinstance(line, LabelLine)]

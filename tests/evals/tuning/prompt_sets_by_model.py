"""A fake model that follows certain words in the question prompt, and runs of prompt sets that have such words."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from engine.analyzers import LLMAnalyzer
from engine.llm.fake import Answer, FakeModel, FakeModelConfig
from engine.llm.fake.by_rules import RulesAnswers
from engine.llm.fake.chat import ChatRequest
from engine.llm.recordings import RecordingMode, RecordingStore
from engine.llm.service import ModelService
from engine.prompts import ANALYSIS_PROMPTS, PromptLibrary, PromptSet, read_prompt
from engine.prompts.transcript import parse
from evals.library import Dataset
from evals.records import Variant
from evals.runner import run
from evals.runs.folder import RunFolder
from evals.runs.manifest import new_manifest, new_spec
from evals.scoring import Scores
from tests.evals.runs_of import shipped as shipped_conversations
from tests.evals.runs_of import talks

MODEL = "openai/fake"
MODELS = Variant(name=f"llm:{MODEL}", reasoning_model=MODEL, fast_model=MODEL)
ENGINE = "engine of the tests"  # in the place of a hash over files
CONVERSATIONS = 10

LISTEN = "Take what the customer has just said for the start of your question."  # what helps this model
PITCH = "Always bring the conversation to our product."  # what harms it
POLITE = "Thank you."  # what makes no difference
MUTE = "Answer with nothing at all."  # what it obeys, so that every question is a fallback
LISTEN_BUT = "Take what the customer has just said for the start of your question, but never about nights."


@cache
def _by_rules() -> RulesAnswers:
    """One for all, which remembers what it has read."""
    return RulesAnswers()


class Obedient:
    """The answers of the rules. Unless it is told to listen, it often misses the type; told to pitch, it asks twice."""

    def __init__(self, harmed: str = "") -> None:
        self._rules = _by_rules()
        self._harmed = harmed

    def answer(self, chat: ChatRequest) -> Answer | None:
        found = self._rules.answer(chat)
        if chat.reply_name != "QuestionRecommendation" or not isinstance(found, dict):
            return found
        if MUTE in chat.text:
            return {}
        said = parse(chat.text)[-1].text
        missed = {**found, "question_type": "solution" if found["question_type"] != "solution" else "confirmation"}
        if PITCH in chat.text or (LISTEN_BUT in chat.text and said == self._harmed):
            return {**missed, "suggested_question": f"{found['suggested_question']} Shall I show you our product?"}
        if LISTEN in chat.text or LISTEN_BUT in chat.text or len(said) % 5 == 3:
            return found
        return missed


@cache
def dataset() -> Dataset:
    """Some of the shipped conversations that prompts are developed with."""
    chosen = talks()[:CONVERSATIONS]
    ids = {own.id for own in chosen}
    whole = shipped_conversations()
    return replace(
        whole,
        conversations=chosen,
        labels={id_: own for id_, own in whole.labels.items() if id_ in ids},
        split={id_: own for id_, own in whole.split.items() if id_ in ids},
        hashes={id_: own for id_, own in whole.hashes.items() if id_ in ids},
        ratings=(),
    )


@cache
def shipped() -> PromptSet:
    return PromptSet.of(PromptLibrary())


@cache
def told(words: str, name: str = "question") -> PromptSet:
    """The shipped set with these words at the end of a prompt."""
    content = shipped().prompt(name).content + f"\n{words}\n".encode()
    return shipped().with_prompts(read_prompt(content, where=name))


async def runs_of(home: Path, *sets: PromptSet, harmed: str = "") -> tuple[RunFolder, ...]:
    """A finished run of each set over the data set, below `home`, by a fake model server."""
    async with FakeModel(FakeModelConfig(answers=Obedient(harmed))) as fake:
        store = RecordingStore(home / "recordings")
        async with ModelService(
            store=store, mode=RecordingMode.REUSE, api_base=fake.base_url, api_key="none"
        ) as service:
            return tuple([await _run(home / "runs", prompts, service) for prompts in sets])


async def _run(runs: Path, prompts: PromptSet, service: ModelService) -> RunFolder:
    library = prompts.library()
    variant = MODELS.model_copy(update={"prompts": library.hashes(ANALYSIS_PROMPTS)})
    spec = new_spec(dataset(), [own.id for own in dataset().conversations], variant)
    spec = spec.model_copy(update={"engine_hash": ENGINE})
    folder = RunFolder.create(runs, new_manifest(spec, dataset().conversations))
    await run(
        folder,
        dataset().conversations,
        lambda conversation, sample: LLMAnalyzer(service, library, MODEL, MODEL, deadline_s=60.0, sample=sample),
    )
    return folder


class ScoresInMemory:
    """Stands for the store of counts, so that a run is counted once."""

    def __init__(self) -> None:
        self._kept: dict[Any, Scores] = {}

    def get(self, key: Any) -> Scores | None:
        return self._kept.get(key)

    def put(self, key: Any, scores: Scores) -> None:
        self._kept[key] = scores
